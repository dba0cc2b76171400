import { Type } from '@sinclair/typebox'
import { answers, tags } from '../../http/answers.ts'
import type { AddRoutes } from '../feature.ts'
import type { ProviderSettings } from './options.ts'

/** Which buttons a login page has. */
export function listProviders ({ providers }: Pick<ProviderSettings, 'providers'>): AddRoutes {
  const schema = {
    operationId: 'listProviders',
    summary: 'The providers by which users sign in',
    tags,
    response: answers({
      200: Type.Object({
        providers: Type.Array(Type.Object({
          id: Type.String({ examples: ['google'] }),
          name: Type.String({ description: 'What a button calls it.', examples: ['Google'] }),
        })),
      }, { description: 'In the order of the options' }),
    }),
  }
  const shown = providers.map(({ id, name }) => ({ id, name }))

  return (scope, path) => scope.get(path, { schema }, async () => ({ providers: shown }))
}
