import { OptionsInvalid } from './errors.ts'

/**
 * The options that a service is given. One that is misspelt must not pass for none: without `em`, for one, a change
 * would not join the transaction that it was meant for.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID` for one that the service does not know
 */
export function knownOptions<Options extends object> (
  service: string, names: (keyof Options)[], options: Options
): Options {
  const unknown = Object.keys(options).find((name) => !names.includes(name as keyof Options))
  if (unknown !== undefined) throw new OptionsInvalid(`${unknown} is not an option of ${service}()`)
  return options
}
