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
