import fastify from 'fastify'

/** Fastify without its limit of ten seconds for each plugin: on a busy machine an app may take longer to begin. */
export const Fastify = ((options = {}) => fastify({ pluginTimeout: 0, ...options })) as typeof fastify
