// The entry `fastify-jwt-accounts/providers`: what the option `providers` is made of.
export { apple, type AppleOptions } from './features/providers/ready/apple.ts'
export { discord, type DiscordOptions } from './features/providers/ready/discord.ts'
export { facebook, type FacebookOptions } from './features/providers/ready/facebook.ts'
export { github, type GithubOptions } from './features/providers/ready/github.ts'
export { gitlab, type GitlabOptions } from './features/providers/ready/gitlab.ts'
export { google, type GoogleOptions } from './features/providers/ready/google.ts'
export { linkedin, type LinkedinOptions } from './features/providers/ready/linkedin.ts'
export { microsoft, type MicrosoftOptions } from './features/providers/ready/microsoft.ts'
export { oauth, type OauthOptions } from './features/providers/ready/oauth.ts'
export { oidc, type OidcOptions } from './features/providers/ready/oidc.ts'
export type {
  AskProvider, AuthenticateClient, Provider, ProviderClaims, ProviderOptions, ProviderPerson,
} from './features/providers/provider.ts'
