import type { FuncKeywordDefinition } from 'ajv'

/**
 * JSON Schema's `multipleOf` (Validation §6.2.1) for numbers as they are written: 4.35 is a multiple of 0.01, though
 * the quotient of the two floating-point numbers is no integer.
 */
export const multipleOf: FuncKeywordDefinition = {
  keyword: 'multipleOf',
  type: 'number',
  schemaType: 'number',
  validate: isMultiple,
  errors: false,
  error: { message: ({ schema }) => `must be multiple of ${schema}` },
}

export function isMultiple (step: number, value: number): boolean {
  const [one, other] = [decimalOf(step), decimalOf(value)]
  const exponent = Math.min(one.exponent, other.exponent)
  const [divisor, dividend] = [scaled(one, exponent), scaled(other, exponent)]
  return divisor !== 0n && dividend % divisor === 0n
}

/** `digits` times ten to the power of `exponent`. */
interface Decimal {
  digits: bigint
  exponent: number
}

/** The digits of a number when they are written with a smaller exponent. */
function scaled ({ digits, exponent }: Decimal, smaller: number): bigint {
  return digits * 10n ** BigInt(exponent - smaller)
}

/** A number in the fewest digits that mean it. */
function decimalOf (value: number): Decimal {
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string]
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?]
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length }
}
