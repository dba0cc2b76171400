import type { FastifyError } from '@fastify/error'
import type { TSchema } from '@sinclair/typebox'
import * as errors from '../../lib/errors.ts'
import { filesOf, read } from './files.ts'
import { firstSentence, list, table } from './markdown.ts'
import { placeOf } from './places.ts'
import type { Route } from './whole-app.ts'

export function routeIndex (routes: Route[]): string {
  return table(['route', 'what it does', 'switch', 'page'], routes.map(({ method, url, summary, on }) =>
    [`\`${method} ${url}\``, summary, `\`${on}\``, placeOf('Routes', `${method} ${url}`)]))
}

export function operationIndex (routes: Route[]): string {
  return table(['operationId', 'route'], routes.filter(({ hide }) => !hide).map(({ method, url, id }) =>
    [`\`${id}\``, `\`${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}\``]))
}

/** By the pages that tell of them. */
export function serviceIndex (services: string[]): string {
  const pages = Map.groupBy(services, (name) => placeOf('Services', name.includes('.') ? name : `app.accounts.${name}`))
  return list([...pages].map(([page, names]) => `${page}: ${names.map((name) => `\`${name}\``).join(', ')}`))
}

/** What is said of the request, or of the options, is left open. */
export function errorIndex (): string {
  const made = Object.values(errors).map((Refusal) => new (Refusal as new () => FastifyError)())
  return table(['code', 'status', 'sentence', 'page'], made.map(({ code, statusCode, message }) =>
    [`\`${code}\``, `${statusCode}`, message.replace(/%s|1 second$/, '…'), placeOf('Errors', code)]))
}

export function hookIndex ({ properties }: TSchema): string {
  const hooks = Object.entries<TSchema>(properties.hooks.properties)
  return table(['hook', 'what it is told', 'page'], hooks.map(([name, { description }]) =>
    [`\`${name}\``, firstSentence(description!), placeOf('Hooks', name)]))
}

/** What `events.ts` of each folder says of its counters. */
export function counterIndex (counters: string[]): string {
  const member = /\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}(\w+): 0,/g
  const told = filesOf('lib/**/events.ts').flatMap((file) => [...read(file).matchAll(member)])
  const texts = new Map(told.map(([, said, name]) => [name, plain(said!)]))
  return table(['counter', 'counts'], counters.map((name) => [`\`${name}\``, texts.get(name)!]))
}

/** What `events.ts` of each folder says of its events. */
export function channelIndex (): string {
  const member = /\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}'?([\w-]+)'?: (?:\{ instance|[A-Z]\w*Event\b)/g
  const events = filesOf('lib/**/events.ts').flatMap((file) => [...read(file).matchAll(member)])
  return table(['channel', 'when', 'page'], events.map(([, said, name]) => {
    const channel = `fastify-jwt-accounts:${name}`
    return [`\`${channel}\``, firstSentence(plain(said!)), placeOf('Events', channel)]
  }))
}

/** A docstring as one line. */
function plain (docstring: string): string {
  return docstring.replaceAll(/\s+(?:\* )?/g, ' ').trim()
}
