import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

export interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  /** Of JSON, or of a form. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly files: readonly File[]
}

export interface Service extends Disposable {
  readonly asked: readonly Asked[]
  readonly baseURL: string
  /** Stands for api.openai.com. */
  readonly fetch: typeof fetch
}

/** A service on the wire, as the real SDK speaks to it. */
export async function service(answer: (asked: Asked, response: ServerResponse) => unknown): Promise<Service> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const one = await read(request)
    asked.push(one)
    await answer(one, response)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return {
    asked,
    baseURL,
    fetch: (url, init) => fetch(String(url).replace("https://api.openai.com/v1", baseURL), init),
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(typeof body === "string" ? body : JSON.stringify(body))
}

/** Server-sent events, each in a piece of its own. */
export async function events(response: ServerResponse, all: readonly object[]): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" })
  for (const event of all) {
    response.write(`data: ${JSON.stringify(event)}\n\n`)
    await new Promise(setImmediate)
  }
  response.end()
}

async function read(request: IncomingMessage): Promise<Asked> {
  const body = await buffer(request)
  const { url: path = "", headers } = request
  const type = headers["content-type"] ?? ""
  const common = { path, authorization: headers.authorization }
  if (!type.startsWith("multipart/")) return { ...common, fields: JSON.parse(body.toString()), files: [] }
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData()
  const fields: Record<string, unknown> = {}
  const files: File[] = []
  for (const [name, value] of form) {
    if (typeof value === "string") fields[name] = value
    else files.push(value)
  }
  return { ...common, fields, files }
}
