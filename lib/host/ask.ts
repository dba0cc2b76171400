import { isError } from '../checks/any-error.ts'

/**
 * Asks a function of the host's. One that throws lets nobody in: the answer is a 500 without details, and the error
 * that was thrown goes to the log as its cause.
 */
export async function ask<Answer> (callback: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await callback()
  } catch (cause) {
    throw failed(cause)
  }
}

/** Asks a function of the host's that answers at once. One that throws lets nobody in, as with `ask`. */
export function askNow<Answer> (callback: () => Answer): Answer {
  try {
    return callback()
  } catch (cause) {
    throw failed(cause)
  }
}

function failed (cause: unknown): Error {
  return Object.assign(new Error('Internal Server Error', { cause }), { statusCode: 500 })
}

/**
 * Asks a function of the host's that may refuse by throwing: an error with a status of 4xx is the answer. Any other
 * becomes a 500 without details, with the error as its cause.
 */
export async function askForLeave<Answer> (callback: () => Answer | Promise<Answer>): Promise<Answer> {
  const outcome = await ask(async () => {
    try {
      return { answer: await callback() }
    } catch (refusal) {
      if (isRefusal(refusal)) return { refusal }
      throw refusal
    }
  })
  if ('refusal' in outcome) throw outcome.refusal
  return outcome.answer
}

function isRefusal (error: unknown): boolean {
  const statusCode = isError(error) && 'statusCode' in error && error.statusCode
  return Number.isInteger(statusCode) && Number(statusCode) >= 400 && Number(statusCode) < 500
}
