import type { ErrorObject } from 'ajv'
import { createCompilers, type Compiling, type InputKind, type Validate } from './compiling.ts'
import { InputInvalid } from './errors.ts'

/** Checks what comes from outside, by a schema. */
export interface Input {
  compile: (schema: object, kind: InputKind) => Validate
  /**
   * Makes a function that checks a value and gives a copy of it with its defaults. `place` is what messages call the
   * value: default `body`.
   * @throws {InputInvalid} the function: `ACCOUNTS_INPUT_INVALID`, naming the field
   */
  reader: (schema: object, kind: InputKind, place?: string) => (value: unknown) => Record<string, unknown>
}

/** A message names no more problems than this. */
const mostSentences = 3

/** Fields' names in messages are cut to this, since a client may invent them. */
const mostNameLength = 64

export function createInput (compiling: Compiling): Input {
  const compilers = createCompilers()
  const compile: Input['compile'] = (schema, kind) => compiling(() => compilers[kind](schema))

  return {
    compile,
    reader (schema, kind, place = 'body') {
      const validate = compile(schema, kind)
      return (value) => {
        const copy = asJson(value, place)
        const verdict = validate(copy)
        if (verdict !== true) throw inputInvalid(verdict.error, place)
        return copy as Record<string, unknown>
      }
    },
  }
}

/** As it will be stored: what JSON cannot say is not there. */
function asJson (value: unknown, place: string): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch {
    throw new InputInvalid(`${place} must be an object that JSON can say`)
  }
}

/** The refusal, with the first few problems; unknown fields before all, since a misspelt one is also missing. */
export function inputInvalid (errors: ErrorObject[], place: string): Error {
  const unknown = errors.filter(({ keyword }) => keyword === 'additionalProperties')
  const others = errors.filter(({ keyword }) => keyword !== 'additionalProperties')
  const sentences = [...unknown, ...others].slice(0, mostSentences).map((error) => sentence(error, place))
  return new InputInvalid(sentences.join('; '))
}

/** Names the field and the rule, and never says what was sent. */
function sentence ({ keyword, instancePath, message, params }: ErrorObject, place: string): string {
  const field = `${place}${instancePath}`
  return keyword === 'additionalProperties'
    ? `${field}/${String(params.additionalProperty).slice(0, mostNameLength)} is not a known field`
    : `${field} ${message}`
}
