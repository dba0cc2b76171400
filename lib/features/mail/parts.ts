/** What is loaded only where mail is on. */
export { createMailProofs } from './mail-proofs.ts'
export { createMailServices } from './mail-services.ts'
export { recipientsOfOwn } from './own-mail.ts'
export { createProofServices } from './proof-services.ts'
