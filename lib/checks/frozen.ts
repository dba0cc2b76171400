/** Makes a value that many requests share unchangeable, to its depths: what one handler wrote in it, all would see. */
export function frozen<Value> (value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.values(Object.freeze(value)).forEach(frozen)
  return value
}
