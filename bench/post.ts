import { Agent, request } from 'node:http'

const agent = new Agent({ keepAlive: true })

/** The answer to JSON that is posted, over a connection that is kept. */
export function post (url: string, body: object, headers: Record<string, string> = {}): Promise<any> {
  return new Promise((resolve, reject) => {
    request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } },
      async (answer) => {
        const text = Buffer.concat(await answer.toArray()).toString()
        if (answer.statusCode === 200) resolve(JSON.parse(text))
        else reject(new Error(`${url}: ${answer.statusCode} ${text}`))
      }
    )
      .on('error', reject)
      .end(JSON.stringify(body))
  })
}
