// Made by `npm run generate` of the schemas of the routes: what is written here by hand is lost.

/** A pair of tokens and their user */
export interface RegisterResponse<Fields = unknown> {
  /** Goes into the header Authorization: Bearer. */
  access_token?: string | undefined
  token_type: 'Bearer'
  /** Seconds until the access token expires. */
  expires_in: number
  /** Exchanged for the next pair of tokens. Keep it secret. */
  refresh_token?: string | undefined
  /** Seconds until the refresh token expires. */
  refresh_expires_in: number
  /** Goes into a header of requests with cookies that change something. */
  csrf_token?: string | undefined
  user: User & Fields
  /** The recovery codes, each valid once. They are never shown again: the user has to keep them. */
  recovery_codes?: string[] | undefined
}

/** A user */
export interface User {
  /** Never changes and is never given to another user. */
  id: string
  /** null for who has an e-mail address alone. */
  username: string | null
  /** null where none was given. */
  email: string | null
  /** Whether the address is verified. */
  email_verified: boolean
  /** What the user may do, in the words of the app. */
  roles: string[]
}

/** A pair of tokens and their user */
export interface TokenResponse<Fields = unknown> {
  /** Goes into the header Authorization: Bearer. */
  access_token?: string | undefined
  token_type: 'Bearer'
  /** Seconds until the access token expires. */
  expires_in: number
  /** Exchanged for the next pair of tokens. Keep it secret. */
  refresh_token?: string | undefined
  /** Seconds until the refresh token expires. */
  refresh_expires_in: number
  /** Goes into a header of requests with cookies that change something. */
  csrf_token?: string | undefined
  user: User & Fields
}

/** A session */
export interface Session {
  /** By which it can be ended. */
  id: string
  /** The session that asks. */
  current: boolean
  /** When the user signed in. */
  created_at: string
  /** To within the life of an access token. */
  last_used_at: string
  /** Unless it is refreshed. */
  expires_at: string
  /** What the client last called itself. */
  user_agent: string | null
  /** Where it last came from. */
  ip: string | null
  /** Whether an admin acts as the user in it: then it says of no client and no address. */
  borrowed: boolean
}

/** A user, as admins see them */
export interface AdminUser {
  /** Never changes and is never given to another user. */
  id: string
  /** null for who has an e-mail address alone. */
  username: string | null
  /** null where none was given. */
  email: string | null
  /** Whether the address is verified. */
  email_verified: boolean
  /** What the user may do, in the words of the app. */
  roles: string[]
  /** When the user was disabled, or null. */
  disabled_at: string | null
  /** When they registered. */
  created_at: string
  /** When they last signed in with their password. */
  last_login_at: string | null
}

/** The token of the borrowed session */
export interface BorrowedTokens<Fields = unknown> {
  /** Goes into the header Authorization, after Bearer. */
  access_token: string
  /** How it is sent. */
  token_type: 'Bearer'
  /** When the session is over, in seconds. */
  expires_in: number
  user: User & Fields
}

/** A public key (RFC 7517) */
export interface Jwk {
  /** RSA, EC or OKP. */
  kty: string
  /** The name that stands in the header of tokens. */
  kid: string
  use: 'sig'
  /** The one algorithm that the key is for. */
  alg: string
  /** RSA: the modulus. */
  n?: string | undefined
  /** RSA: the exponent. */
  e?: string | undefined
  /** EC and OKP: the curve. */
  crv?: string | undefined
  /** EC and OKP: a coordinate, or the key. */
  x?: string | undefined
  /** EC: the other coordinate. */
  y?: string | undefined
}

/** A mail is on its way, if there is a recipient */
export interface Challenge {
  /** Send it back with the code, and to request the mail again. Keep it in the page that requested the mail. */
  challenge_id: string
  /** Seconds until the link expires. */
  expires_in: number
  /** Seconds until it makes sense to request again. */
  resend_in: number
}

/** A valid invitation */
export interface Invitation {
  id: string
  /** The invited address. */
  email: string
  /** The roles of the new user. */
  roles: string[]
  /** The data it was made with, or null. */
  data: unknown
  /** The personal message in the mail. */
  message: string | null
  /** The id of the inviter; null for code. */
  invited_by: string | null
  created_at: string
  expires_at: string
}

/** What the user has set up */
export interface Factors {
  /** Whether a second factor is required to sign in. */
  second_factor: boolean
  /** Whether the app requires two factors of this user. */
  required: boolean
  /** null where there are none. */
  recovery_codes: {
    /** How many are not used yet. */
    left: number
    created_at: string
  } | null
  /** The authenticator app. null where there is none. */
  totp: {
    created_at: string
    last_used_at: string | null
  } | null
  /** How many passkeys there are. */
  passkeys: number
}

/** The passkey, and tokens */
export interface AddedPasskey<Fields = unknown> {
  passkey: Passkey
  /** The recovery codes, each valid once. They are never shown again: the user has to keep them. */
  recovery_codes?: string[] | undefined
  /** Goes into the header Authorization: Bearer. */
  access_token?: string | undefined
  token_type: 'Bearer'
  /** Seconds until the access token expires. */
  expires_in: number
  /** Exchanged for the next pair of tokens. Keep it secret. */
  refresh_token?: string | undefined
  /** Seconds until the refresh token expires. */
  refresh_expires_in: number
  /** Goes into a header of requests with cookies that change something. */
  csrf_token?: string | undefined
  user: User & Fields
}

/** A passkey */
export interface Passkey {
  /** By which it can be changed. */
  id: string
  name: string
  /** When it was added. */
  created_at: string
  last_used_at: string | null
  /** Whether it is backed up: other devices may have it. */
  backed_up: boolean
  /** Whether it can be on more than one device. */
  synced: boolean
  /** How browsers reach it. */
  transports: string[]
  /** What kind of authenticator has it, as that says itself. */
  aaguid: string
  /** The domain that it is for. */
  rp_id: string
}

/** What is left, and tokens */
export interface RemovedPasskey<Fields = unknown> {
  rp_id: string
  /** What authenticators know the user by. */
  user_handle: string
  /** Of the passkeys that are left. */
  accepted_credential_ids: string[]
  /** Goes into the header Authorization: Bearer. */
  access_token?: string | undefined
  token_type: 'Bearer'
  /** Seconds until the access token expires. */
  expires_in: number
  /** Exchanged for the next pair of tokens. Keep it secret. */
  refresh_token?: string | undefined
  /** Seconds until the refresh token expires. */
  refresh_expires_in: number
  /** Goes into a header of requests with cookies that change something. */
  csrf_token?: string | undefined
  user: User & Fields
}

/** A new API key */
export interface NewKey {
  /** The text of the key. It is shown this once. */
  key: string
  /** Its name for the server. */
  id: string
  /** What its owner calls it. */
  name: string
  /** Its last characters. */
  hint: string
  /** What it is for. */
  scopes: string[]
  created_at: string
  /** Until when it is good; null for ever. */
  expires_at: string | null
}

/** An API key, without its text */
export interface Key {
  /** Its name for the server. */
  id: string
  /** What its owner calls it. */
  name: string
  /** Its last characters. */
  hint: string
  /** What it is for. */
  scopes: string[]
  created_at: string
  /** Until when it is good; null for ever. */
  expires_at: string | null
  /** When it was last used, to about a minute. */
  last_used_at: string | null
  /** From which address. */
  last_used_ip: string | null
}

/** What happened to an account */
export interface Event {
  /** Ids grow with time. */
  id: string
  /** The name of its channel. */
  type: string
  /** Whom it happened to. */
  user_id: string | null
  /** Who did it, where that was not the user. */
  actor_id: string | null
  /** The session that it happened to, or in. */
  session_id: string | null
  /** Which of several ways it happened in. */
  reason: string | null
  /** Where it was asked for; null for code, and where it was erased. */
  ip: string | null
  /** By which browser. */
  user_agent: string | null
  /** The id of the request, as in the log. */
  request_id: string | null
  /** What else is told of this type. */
  data: Record<string, unknown> | null
  /** The number of the seal that it is in; null until it is sealed. */
  seal: number | null
  created_at: string
}

/** Whether sealed events are as they were sealed */
export interface VerifiedEvents {
  /** Nothing was changed in this part. */
  whole: boolean
  /** How many events were checked. */
  entries: number
  /** In how many seals. */
  seals: number
  /** The number of the first seal with which something is wrong. */
  broken_at: number | null
  /** What is wrong: missing, entries, changed, personal, key or pruned. */
  problem: string | null
  /** The hash of the last seal that was checked. */
  head: string | null
  /** Goes into after, for the next part; null at the end, and where something is wrong. */
  next: number | null
}

/** An identity at another provider */
export interface Identity {
  /** By which it can be taken away. */
  id: string
  /** The id of the provider. */
  provider: string
  /** The address that the provider last said, whoever has it here. */
  email: string | null
  /** When it was linked. */
  created_at: string
  /** When it was used last. */
  last_used_at: string
}

/**
 * What each route takes and answers, by its method and its path below `baseUrl`. `Fields` are those that the app has
 * added to its users.
 */
export interface Routes<Fields = unknown> {
  /** Register, and prove the address first */
  'POST /register': {
    body?: {
      /** 1 to 64 characters, no @. */
      username?: string | undefined
      /** An e-mail address. */
      email?: string | undefined
      /**
       * 15 to 256 characters, of any kind but control and unassigned characters. No common password, no repetition of a
       * few characters, and no sequence of letters, digits or keys. Not built on the user name, the e-mail address or a
       * word of this service.
       */
      password?: string | undefined
      /** As createPasskeyOptions for register has given it. */
      enrolment?: string | undefined
      /** What `navigator.credentials.create()` gives, as JSON */
      credential?: {
        /** The id of the credential. */
        id: string
        /** The id of the credential. */
        rawId: string
        type: 'public-key'
        response: {
          /** What the browser has seen. */
          clientDataJSON: string
          /** The new key. */
          attestationObject: string
          transports?: string[] | undefined
        }
      } | undefined
      /** Of the refusal that asked for more than a provider has said. */
      ticket?: string | undefined
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
    } & Partial<Fields> | {
      /** 1 to 64 characters, no @. */
      username: string
      /** An e-mail address. */
      email: string
      /**
       * 15 to 256 characters, of any kind but control and unassigned characters. No common password, no repetition of a
       * few characters, and no sequence of letters, digits or keys. Not built on the user name, the e-mail address or a
       * word of this service.
       */
      password: string
    } & Partial<Fields>
    answer: RegisterResponse<Fields> | Challenge
  }
  /** Sign in with a password */
  'POST /login': {
    body: {
      /** The user name or e-mail address. */
      username: string
      /** As it was chosen, to the last space. */
      password: string
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
      /** Whether cookies outlive the browser window. */
      remember?: boolean | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Re-authenticate with the password or another proof */
  'POST /reauthenticate': {
    body?: {
      /** The password of the signed-in user. */
      password?: string | undefined
      /** What `navigator.credentials.get()` gives, as JSON */
      credential?: {
        /** The id of the credential. */
        id: string
        /** The id of the credential. */
        rawId: string
        type: 'public-key'
        response: {
          /** What the browser has seen. */
          clientDataJSON: string
          /** What the authenticator says. */
          authenticatorData: string
          /** Of both. */
          signature: string
          userHandle?: string | null | undefined
        }
      } | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Change the password */
  'PUT /password': {
    body: {
      /** The current password. */
      current_password: string
      /**
       * 15 to 256 characters, of any kind but control and unassigned characters. No common password, no repetition of a
       * few characters, and no sequence of letters, digits or keys. Not built on the user name, the e-mail address or a
       * word of this service.
       */
      new_password: string
      /** Ends all API keys too: those that a thief has made outlive a new password otherwise. */
      revoke_keys?: boolean | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Get new tokens for a refresh token */
  'POST /refresh': {
    body?: {
      /** The refresh token. Without it, the header and the cookies are read. */
      refresh_token?: string | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Log out: end the session and all its tokens */
  'POST /logout': {
    body?: {
      /** The refresh token. Without it, the header and the cookies are read. */
      refresh_token?: string | undefined
    }
    answer: undefined
  }
  /** List the sessions of the user */
  'GET /sessions': {
    answer: {
      sessions: Session[]
    }
  }
  /** End all sessions of the user, or all but this one */
  'DELETE /sessions': {
    query?: {
      keep?: 'current'
    }
    answer: undefined
  }
  /** End one session of the user */
  'DELETE /sessions/{id}': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** The signed-in user */
  'GET /me': {
    answer: User & Fields
  }
  /** Change the profile of the signed-in user */
  'PATCH /me': {
    body: Partial<Fields>
    answer: User & Fields
  }
  /** Close the account of the signed-in user, and end all sessions */
  'DELETE /me': {
    answer: {
      /** When the account is deleted. Until then it can be restored. */
      closes_at: string
    }
  }
  /** Remove second factors that a user has lost */
  'DELETE /users/{id}/factors': {
    params: {
      id: string
    }
    body?: {
      /** Whether to remove these. */
      recovery_codes?: boolean | undefined
      /** Whether to remove these. */
      totp?: boolean | undefined
      /** Whether to remove these. */
      passkeys?: boolean | undefined
      /** Whether to remove these. */
      devices?: boolean | undefined
    }
    answer: undefined
  }
  /** List users, the newest first */
  'GET /users': {
    query?: {
      limit: number
      after?: string
    }
    answer: {
      users: AdminUser[]
      /** Pass it as after to get the next page; null at the end. */
      next: string | null
    }
  }
  /** One user */
  'GET /users/{id}': {
    params: {
      id: string
    }
    answer: AdminUser
  }
  /** Disable or enable a user; change roles and profile */
  'PATCH /users/{id}': {
    params: {
      id: string
    }
    body?: {
      /** Whether the user is disabled. */
      disabled?: boolean | undefined
      roles?: string[] | undefined
    }
    answer: AdminUser
  }
  /** Delete a user, with all sessions */
  'DELETE /users/{id}': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** List the sessions of another user */
  'GET /users/{id}/sessions': {
    params: {
      id: string
    }
    answer: {
      sessions: Session[]
    }
  }
  /** End all sessions of another user */
  'DELETE /users/{id}/sessions': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** End one session of another user */
  'DELETE /users/{id}/sessions/{sid}': {
    params: {
      id: string
      sid: string
    }
    answer: undefined
  }
  /** Act as a user for a while, under the own name */
  'POST /users/{id}/impersonate': {
    params: {
      id: string
    }
    body: {
      /** Why. It is kept with the event. */
      reason: string
    }
    answer: BorrowedTokens<Fields>
  }
  /** The public keys that verify access tokens */
  'GET /jwks.json': {
    answer: {
      keys: Jwk[]
    }
  }
  /** Request a password reset by mail */
  'POST /password/forgot': {
    body?: {
      /** The user name. */
      username?: string | undefined
      /** The e-mail address. */
      email?: string | undefined
      /** From the previous response, to have the same link and code sent again. */
      challenge_id?: string | undefined
    }
    answer: Challenge
  }
  /** Reset the password with the link or code of a mail */
  'POST /password/reset': {
    body: {
      /** The token of the link in the mail. */
      token?: string | undefined
      /** From the response to the request for the mail. Default: the cookie. */
      challenge_id?: string | undefined
      /** The code in the mail. Spaces and dashes are ignored. */
      code?: string | undefined
      /**
       * 15 to 256 characters, of any kind but control and unassigned characters. No common password, no repetition of a
       * few characters, and no sequence of letters, digits or keys. Not built on the user name, the e-mail address or a
       * word of this service.
       */
      new_password: string
      /** Ends all API keys too: those that a thief has made outlive a new password otherwise. */
      revoke_keys?: boolean | undefined
    }
    answer: undefined
  }
  /** Restore an account that is scheduled for deletion */
  'POST /me/restore': {
    body?: {
      /** The token of the link in the mail. */
      token?: string | undefined
      /** As for a login. */
      username?: string | undefined
      /** The password of the account. */
      password?: string | undefined
    }
    answer: undefined
  }
  /** Export all data of the signed-in user */
  'GET /me/export': {
    answer: {
      user: unknown
      sessions: unknown[]
      keys: unknown[]
      events: unknown[]
      app: unknown
    }
  }
  /** Request a mail to sign in with */
  'POST /login/email': {
    body: {
      /** An e-mail address. */
      email: string
      /** From the previous response, to have the same link and code sent again. */
      challenge_id?: string | undefined
    }
    answer: Challenge
  }
  /** Sign in with the link or code of a mail */
  'POST /login/email/complete': {
    body?: {
      /** The token of the link in the mail. */
      token?: string | undefined
      /** From the response to the request for the mail. Default: the cookie. */
      challenge_id?: string | undefined
      /** The code in the mail. Spaces and dashes are ignored. */
      code?: string | undefined
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
      /** Whether cookies outlive the browser window. */
      remember?: boolean | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Invite somebody by mail */
  'POST /invitations': {
    body: {
      /** An e-mail address. */
      email: string
      roles?: string[] | undefined
      data?: Record<string, unknown> | undefined
      /** A personal message in the mail: plain text. */
      message?: string | undefined
    }
    answer: Invitation
  }
  /** List valid invitations, the newest first */
  'GET /invitations': {
    query?: {
      limit: number
      after?: string
    }
    answer: {
      invitations: Invitation[]
      /** Pass it as after to get the next page; null at the end. */
      next: string | null
    }
  }
  /** Withdraw an invitation */
  'DELETE /invitations/{id}': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** Send the mail of an invitation again */
  'POST /invitations/{id}/send': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** Show an invitation */
  'POST /invitations/show': {
    body: {
      /** The token of the link in the mail. */
      token: string
    }
    answer: {
      email: string
      expires_at: string
      data: unknown
    }
  }
  /** Accept an invitation */
  'POST /invitations/accept': {
    body: {
      /** The token of the link in the mail. */
      token: string
      /** 1 to 64 characters, no @. */
      username?: string | undefined
      /**
       * 15 to 256 characters, of any kind but control and unassigned characters. No common password, no repetition of a
       * few characters, and no sequence of letters, digits or keys. Not built on the user name, the e-mail address or a
       * word of this service.
       */
      password?: string | undefined
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
    } & Partial<Fields>
    answer: TokenResponse<Fields> | undefined
  }
  /** Request a mail that verifies the address */
  'POST /email/verify/send': {
    body?: {
      /** From the previous response, to have the same link and code sent again. */
      challenge_id?: string | undefined
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
    }
    answer: Challenge | undefined
  }
  /** Verify an address with the link or code of a mail */
  'POST /email/verify': {
    body?: {
      /** The token of the link in the mail. */
      token?: string | undefined
      /** From the response to the request for the mail. Default: the cookie. */
      challenge_id?: string | undefined
      /** The code in the mail. Spaces and dashes are ignored. */
      code?: string | undefined
    }
    answer: undefined
  }
  /** Disown an address or invitation with the link of a mail */
  'POST /email/disown': {
    body: {
      /** The token of the link in the mail. */
      token: string
    }
    answer: undefined
  }
  /** Request a change of the address */
  'PUT /email': {
    body: {
      /** An e-mail address. */
      email: string
      /** From the previous response, to have the same link and code sent again. */
      challenge_id?: string | undefined
    }
    answer: Challenge
  }
  /** Change the address with the link or code of a mail */
  'POST /email/change': {
    body?: {
      /** The token of the link in the mail. */
      token?: string | undefined
      /** From the response to the request for the mail. Default: the cookie. */
      challenge_id?: string | undefined
      /** The code in the mail. Spaces and dashes are ignored. */
      code?: string | undefined
    }
    answer: undefined
  }
  /** Revert a change of address with the link of a mail */
  'POST /email/revert': {
    body: {
      /** The token of the link in the mail. */
      token: string
    }
    answer: undefined
  }
  /** Show the second factors of the user */
  'GET /factors': {
    answer: Factors
  }
  /** Turn second factors off */
  'DELETE /factors': {
    answer: TokenResponse<Fields>
  }
  /** Forget remembered browsers */
  'DELETE /factors/devices': {
    answer: undefined
  }
  /** Complete a login with a second factor and the ticket */
  'POST /factors/verify': {
    body?: {
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
      /** A recovery code, in any case, with or without hyphens. */
      recovery_code?: string | undefined
      /** The code that the app shows, with or without a space. */
      code?: string | undefined
      /** What `navigator.credentials.get()` gives, as JSON */
      credential?: {
        /** The id of the credential. */
        id: string
        /** The id of the credential. */
        rawId: string
        type: 'public-key'
        response: {
          /** What the browser has seen. */
          clientDataJSON: string
          /** What the authenticator says. */
          authenticatorData: string
          /** Of both. */
          signature: string
          userHandle?: string | null | undefined
        }
      } | undefined
      /** Whether to remember this browser, so that it is not asked for a second factor for a while. */
      remember_device?: boolean | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Replace the recovery codes */
  'POST /factors/recovery-codes': {
    answer: {
      /** The recovery codes, each valid once. They are never shown again: the user has to keep them. */
      recovery_codes: string[]
    }
  }
  /** Start to set up an authenticator app */
  'POST /factors/totp': {
    body?: {
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
    }
    answer: {
      /** Send it with the first code. */
      enrolment: string
      /** For typing it into the app. */
      secret: string
      /** For a QR code. */
      uri: string
      /** Seconds until it expires. */
      expires_in: number
    }
  }
  /** Set up an authenticator app with its first code */
  'PUT /factors/totp': {
    body: {
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
      /** As returned by POST. */
      enrolment: string
      /** The code that the app shows, with or without a space. */
      code: string
    }
    answer: {
      /** Goes into the header Authorization: Bearer. */
      access_token?: string | undefined
      token_type: 'Bearer'
      /** Seconds until the access token expires. */
      expires_in: number
      /** Exchanged for the next pair of tokens. Keep it secret. */
      refresh_token?: string | undefined
      /** Seconds until the refresh token expires. */
      refresh_expires_in: number
      /** Goes into a header of requests with cookies that change something. */
      csrf_token?: string | undefined
      user: User & Fields
      /** The recovery codes, each valid once. They are never shown again: the user has to keep them. */
      recovery_codes?: string[] | undefined
    }
  }
  /** Remove the authenticator app */
  'DELETE /factors/totp': {
    answer: TokenResponse<Fields>
  }
  /** Get options for the passkeys of a browser */
  'POST /passkeys/options': {
    body: {
      /**
       * login signs in; factor is the second factor, with a ticket; reauthenticate is for who is signed in;
       * registration is a new passkey, of who is signed in or has a ticket for that; register is an account without a
       * password.
       */
      for: 'login' | 'factor' | 'reauthenticate' | 'registration' | 'register'
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
      /** 1 to 64 characters, no @. */
      username?: string | undefined
      /** An e-mail address. */
      email?: string | undefined
    } | {
      /**
       * login signs in; factor is the second factor, with a ticket; reauthenticate is for who is signed in;
       * registration is a new passkey, of who is signed in or has a ticket for that.
       */
      for: 'login' | 'factor' | 'reauthenticate' | 'registration'
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
    }
    answer: {
      /** As WebAuthn L3 §5.1.9 has them. */
      options: Record<string, unknown>
      /** Of register: goes with the registration. */
      enrolment?: string | undefined
    } | {
      /** As WebAuthn L3 §5.1.9 has them. */
      options: Record<string, unknown>
    }
  }
  /** Sign in with a passkey */
  'POST /passkeys/login': {
    body: {
      /** What `navigator.credentials.get()` gives, as JSON */
      credential: {
        /** The id of the credential. */
        id: string
        /** The id of the credential. */
        rawId: string
        type: 'public-key'
        response: {
          /** What the browser has seen. */
          clientDataJSON: string
          /** What the authenticator says. */
          authenticatorData: string
          /** Of both. */
          signature: string
          userHandle?: string | null | undefined
        }
      }
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
      /** Whether cookies outlive the browser window. */
      remember?: boolean | undefined
    }
    answer: TokenResponse<Fields>
  }
  /** Add a passkey */
  'POST /passkeys': {
    body: {
      /** What `navigator.credentials.create()` gives, as JSON */
      credential: {
        /** The id of the credential. */
        id: string
        /** The id of the credential. */
        rawId: string
        type: 'public-key'
        response: {
          /** What the browser has seen. */
          clientDataJSON: string
          /** The new key. */
          attestationObject: string
          transports?: string[] | undefined
        }
      }
      /** What the user calls the passkey. */
      name?: string | undefined
      /**
       * Whether the passkey is a second factor, so that the password alone no longer signs in. Default
       * `passkeys.secondFactor`.
       */
      second_factor?: boolean | undefined
      /** From the refusal that required a second factor. Default: the cookie. */
      ticket?: string | undefined
    }
    answer: AddedPasskey<Fields>
  }
  /** List the passkeys of the signed-in user */
  'GET /passkeys': {
    answer: {
      passkeys: Passkey[]
    }
  }
  /** Rename a passkey */
  'PATCH /passkeys/{id}': {
    params: {
      id: string
    }
    body: {
      /** What the user calls the passkey. */
      name: string
    }
    answer: Passkey
  }
  /** Remove a passkey */
  'DELETE /passkeys/{id}': {
    params: {
      id: string
    }
    answer: RemovedPasskey<Fields>
  }
  /** Make an API key */
  'POST /keys': {
    body: {
      /** What its owner calls it. */
      name: string
      /** What it is for. Default nothing in particular. */
      scopes?: string[] | undefined
      /** How many seconds it lives. */
      expires_in?: number | undefined
    }
    answer: NewKey
  }
  /** The API keys of the signed-in user that are good */
  'GET /keys': {
    answer: {
      keys: Key[]
    }
  }
  /** Give an API key another name */
  'PATCH /keys/{id}': {
    params: {
      id: string
    }
    body: {
      /** What its owner calls it. */
      name: string
    }
    answer: Key
  }
  /** End an API key */
  'DELETE /keys/{id}': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** Give an API key another text */
  'POST /keys/{id}/rotate': {
    params: {
      id: string
    }
    body?: {
      /** For how many seconds the text of before is still good. */
      overlap?: number | undefined
    }
    answer: NewKey
  }
  /** What happened to accounts, the newest first */
  'GET /events': {
    query?: {
      user?: string
      actor?: string
      type?: string
      ip?: string
      after_time?: string
      before_time?: string
      limit: number
      after?: string
    }
    answer: {
      events: Event[]
      /** Goes into after, for the next part; null at the end. */
      next: string | null
    }
  }
  /** Whether sealed events are as they were sealed */
  'GET /events/verify': {
    query?: {
      after?: number
    }
    answer: VerifiedEvents
  }
  /** The providers by which users sign in */
  'GET /providers': {
    answer: {
      providers: {
        id: string
        /** What a button calls it. */
        name: string
      }[]
    }
  }
  /** Begin to sign in by another provider */
  'POST /providers/{id}/authorize': {
    params: {
      id: string
    }
    body?: {
      /** Where the browser goes at the end: a path, or a URL of `providerFlow.returnTo`. Default `/`. */
      return_to?: string | undefined
      /**
       * login signs in, or opens an account; link gives who is signed in another way to sign in; reauthenticate is for
       * who is signed in. Default login.
       */
      for?: 'login' | 'link' | 'reauthenticate' | undefined
      /** With tokens in bodies: of a verifier that goes with the exchange (RFC 7636, S256). */
      code_challenge?: string | undefined
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
      /** Whether cookies outlive the browser window. */
      remember?: boolean | undefined
    }
    answer: {
      /** Where the browser goes. */
      authorization_url: string
      /** Seconds until the browser has to be back. */
      expires_in: number
    }
  }
  /** Sign in by the code with which a browser has come back */
  'POST /providers/exchange': {
    body: {
      /** Of the query that the browser has come back with. */
      code: string
      /** What the `code_challenge` was made of (RFC 7636). */
      code_verifier: string
    }
    answer: TokenResponse<Fields> | undefined
  }
  /** The identities of the signed-in user at other providers */
  'GET /identities': {
    answer: {
      identities: Identity[]
    }
  }
  /** Sign in by this identity no more */
  'DELETE /identities/{id}': {
    params: {
      id: string
    }
    answer: undefined
  }
  /** Revoke a token (RFC 7009) */
  'POST /revoke': {
    body: {
      /** An access token, a refresh token or an API key. */
      token: string
      /** Not needed: a token says what it is. */
      token_type_hint?: string | undefined
    }
    answer: undefined
  }
  /** Introspect a token (RFC 7662) */
  'POST /introspect': {
    body: {
      /** An access token, a refresh token or an API key. */
      token: string
      /** Not needed: a token says what it is. */
      token_type_hint?: string | undefined
      /** Where it does not stand in Authorization: Basic. */
      client_id?: string | undefined
      /** As its id. */
      client_secret?: string | undefined
    }
    answer: {
      /** Whether the token is valid. */
      active: boolean
      /** Bearer or refresh_token. */
      token_type?: string | undefined
      /** Whose it is. */
      username?: string | null | undefined
    }
  }
  /** Complete a registration and sign in, with the link or code of a mail */
  'POST /register/complete': {
    body?: {
      /** The token of the link in the mail. */
      token?: string | undefined
      /** From the response to the request for the mail. Default: the cookie. */
      challenge_id?: string | undefined
      /** The code in the mail. Spaces and dashes are ignored. */
      code?: string | undefined
      /**
       * 15 to 256 characters, of any kind but control and unassigned characters. No common password, no repetition of a
       * few characters, and no sequence of letters, digits or keys. Not built on the user name, the e-mail address or a
       * word of this service.
       */
      password?: string | undefined
      /** How the tokens of this session are sent, now and later. Default body. */
      transport?: 'body' | 'cookie' | undefined
    } & Partial<Fields>
    answer: TokenResponse<Fields>
  }
}
