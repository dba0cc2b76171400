import createError from '@fastify/error'

export const ProofInvalid = createError('ACCOUNTS_PROOF_INVALID', 'The link or code is invalid or has expired', 400)
