import type { Client, Entered, Passkeys } from './types.ts'

/** What passkeys need of the client. */
interface Needs<Account> {
  call: (route: any, given: any) => Promise<any>
  enter: (path: string, body: object) => Promise<Entered<Account>>
  /** The ticket of a login that waits for its second factor, where it does not travel in a cookie. */
  ticket: () => string | undefined
}

export function createPasskeys<Fields, Account> ({ call, enter, ticket }: Needs<Account>): Passkeys<Account, Fields> {
  let offer: AbortController | undefined

  const optionsFor = (asked: object) => call('POST /passkeys/options', { body: asked })

  /** A browser asks its user one thing at a time: what it still offers by itself ends. */
  function signalFor (signal?: AbortSignal): AbortSignal {
    offer?.abort()
    offer = new AbortController()
    return signal ? AbortSignal.any([signal, offer.signal]) : offer.signal
  }

  async function choose (asked: object, more: CredentialRequestOptions = {}, given?: AbortSignal) {
    const signal = signalFor(given)
    const { options } = await optionsFor(asked)
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
    return jsonOf(await navigator.credentials.get({ publicKey, signal, ...more }))
  }

  async function create (options: any) {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
    return jsonOf(await navigator.credentials.create({ publicKey, signal: signalFor() }))
  }

  return {
    async login ({ autofill, signal } = {}) {
      const credential = await choose({ for: 'login' }, autofill ? { mediation: 'conditional' } : {}, signal)
      return enter('passkeys/login', { credential })
    },
    async register (fields) {
      const { options, enrolment } = await optionsFor({ for: 'register', ...fields })
      return enter('register', { ...fields, enrolment, credential: await create(options) })
    },
    async verify () {
      const credential = await choose({ for: 'factor', ticket: ticket() })
      return enter('factors/verify', { ticket: ticket(), credential })
    },
    async reauthenticate () {
      return enter('reauthenticate', { credential: await choose({ for: 'reauthenticate' }) })
    },
    async add ({ name } = {}) {
      const { options } = await optionsFor({ for: 'registration' })
      return call('POST /passkeys', { body: { name, credential: await create(options) } })
    },
  } satisfies Client<Fields, Account>['passkey']
}

const jsonOf = (credential: Credential | null) => (credential as PublicKeyCredential).toJSON()
