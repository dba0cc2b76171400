/** A place where a token may be. */
export type Location = 'header' | 'cookie' | 'body' | 'query' | 'protocol'

/** How a session's tokens travel: in bodies, where scripts see them, or in cookies, where they do not. */
export type Transport = 'body' | 'cookie'
