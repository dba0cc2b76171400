import { Ajv, type ErrorObject, type KeywordDefinition, type Options } from 'ajv'
import formats from 'ajv-formats'
import { multipleOf } from '../checks/multiple-of.ts'

/** How a value is looked at: as it is, as a change that fills in no defaults, or as the texts of a query. */
export type InputKind = 'whole' | 'change' | 'query'

/** Says whether a value is right, and fills in its defaults, as Fastify has a validator do. */
export type Validate = (value: unknown) => true | { error: ErrorObject[] }

/** Makes a function of a schema, at once or when the function is first called. */
export type Compiling = <Made extends Callable>(compile: () => Made) => Made

type Callable = (...given: never[]) => unknown

/**
 * Our own schemas can be compiled, as tests show, and most are not needed in the first seconds of an app, or ever: they
 * are compiled when they are. Fields of the app's own, and data of sessions, may be schemas that cannot be compiled: an
 * app that has some is to fail when it starts.
 */
export function createCompiling (
  { user: { fields }, sessions: { data } }: { user: { fields: object }, sessions: { data?: object } }
): Compiling {
  return data || Object.keys(fields).length > 0 ? (compile) => compile() : whenFirstCalled
}

/** A function that takes long to make, and so is made when it is first called. */
export function whenFirstCalled<Made extends Callable> (make: () => Made): Made {
  let made: Made | undefined
  return ((...given) => (made ??= make())(...given)) as Made
}

/** What makes validators of schemas, for each way to look at a value. */
export function createCompilers (): Record<InputKind, (schema: object) => Validate> {
  return {
    whole: createCompiler({ useDefaults: true }),
    change: createCompiler({}),
    // Not strict: that takes the text Infinity for a number and then looks at no limit of it.
    query: createCompiler({ useDefaults: true, coerceTypes: true, strictNumbers: false }),
  }
}

function createCompiler (options: Options): (schema: object) => Validate {
  let ajv: Ajv | undefined
  return (schema) => {
    ajv ??= createAjv(options)
    const isRight = ajv.compile(schema)
    return (value) => isRight(value) || { error: isRight.errors! }
  }
}

/**
 * Stops at the first problem: with `allErrors` a pattern would run over a text that is too long, and all items of a
 * list with too many would be compared, for anybody who sends them.
 */
function createAjv (options: Options): Ajv {
  // Schemas are not checked by the schema of schemas: compiling that one takes longer than all of ours.
  const ajv = formats.default(new Ajv({ allowUnionTypes: true, validateSchema: false, meta: false, ...options }))
  ajv.removeKeyword('multipleOf').addKeyword(multipleOf)

  // After the keywords that know the fields: a misspelt one is also missing, and its name tells more.
  const required = ajv.getKeyword('required') as KeywordDefinition
  return ajv.removeKeyword('required').addKeyword(required)
}
