/** An origin of this machine, which browsers trust without TLS. */
export const loopback = /^http:\/\/(localhost|[^/]+\.localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/
