import { isMissing } from '../checks/missing-package.ts'
import { OptionsInvalid } from '../http/errors.ts'

/** A package that an app installs where it turns on what needs it. */
export interface OptionalPackage {
  /** Bundlers leave an import with a `catch` to the app that has the package: `import('name').catch(refuse)`. */
  refuse: (cause: unknown) => never
  /**
   * Begins to load it: nobody waits for it but who needs it before it is there.
   * @throws {OptionsInvalid} at once where the package is not installed
   */
  begin: <Library>(load: () => Promise<Library>) => Promise<Library>
}

/** The package `name`, which the option `neededBy` needs. */
export function optionalPackage (name: string, neededBy: string): OptionalPackage {
  function refuse (cause: unknown): never {
    if (!isMissing(cause, name)) throw cause
    throw new OptionsInvalid(`${neededBy} needs the package ${name}: npm install ${name}`, { cause })
  }

  function requireInstalled (): void {
    try {
      // Not there in an app that was put into one file of CommonJS.
      import.meta.resolve?.(name)
    } catch (cause) {
      refuse(cause)
    }
  }

  return {
    refuse,
    begin (load) {
      requireInstalled()
      const library = load()
      // A broken package is told to who needs it, and does not end the process.
      library.catch(() => {})
      return library
    },
  }
}
