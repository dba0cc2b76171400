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
