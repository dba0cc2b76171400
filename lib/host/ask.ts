import { isError } from '../checks/any-error.ts'

/**
 * Asks a function of the host's. One that throws lets nobody in: the answer is a 500 that says nothing, and what it
 * said stays in the log.
 */
export async function ask<Answer> (callback: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await callback()
  } catch (cause) {
    throw Object.assign(new Error('Internal Server Error', { cause }), { statusCode: 500 })
  }
}

/**
 * Asks a function of the host's that may refuse by throwing: an error with a status of 4xx is the answer. What else it
 * throws is a 500 that says nothing, as `ask` has it.
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
  const { statusCode } = Object(error) as { statusCode?: unknown }
  return isError(error) && Number.isInteger(statusCode) && Number(statusCode) >= 400 && Number(statusCode) < 500
}
