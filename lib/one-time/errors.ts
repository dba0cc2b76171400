import createError from '@fastify/error'

export const ProofInvalid = createError('ACCOUNTS_PROOF_INVALID', 'The link or the code is not good any more', 400)
