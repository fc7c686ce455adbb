import { connect as connectTcp, type LookupFunction, type Socket } from "node:net"
import { pipeline, Readable } from "node:stream"
import { connect as connectTls } from "node:tls"
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib"
import type { Client, Dispatcher } from "undici"
import { bareHost, portOf } from "./address.ts"
import { WebError } from "./errors.ts"

/** What a server says before the body. Header names are lower-case; of one sent twice, the first counts. */
export interface ResponseHead {
  readonly url: URL
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** One request on one connection of its own. `close` ends the connection, whatever was read of it. */
export interface Exchange {
  readonly head: ResponseHead
  /** @throws WebError (`content_invalid`, `fetch_failed`) */
  read(maxBytes: number, progress: () => void): Promise<Body>
  close(): Promise<void>
}

/** A body with its compression undone. `complete` is false when it went on after `maxBytes`. */
export interface Body {
  readonly bytes: Uint8Array
  readonly complete: boolean
}

/** What is sent: a POST where there is a body, else a GET. */
interface Sent {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

/**
 * Sends a request to one of `addresses`, which were checked: no name is looked up here, and a proxy in the environment
 * is not used, since it would look the name up again.
 */
export async function exchange(
  url: URL,
  addresses: readonly string[],
  { headers, body, signal }: Sent,
): Promise<Exchange> {
  const { Client } = await import("undici")
  // HTTP/1.1 only: one stream on one socket is easy to bound. The times are the caller's, through the signal.
  const client = new Client(url.origin, {
    connect: pinned(url, addresses, signal),
    allowH2: false,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 32_768,
  })
  try {
    const response = await client.request({
      method: body ? "POST" : "GET",
      ...(body && { body }),
      path: url.pathname + url.search,
      headers: { ...headers, "accept-encoding": "gzip, br" },
      signal,
      reset: true,
    })
    // An abort between two reads would otherwise be an error event that nobody listens to.
    response.body.on("error", () => {})
    const head = { url, status: response.statusCode, headers: flat(response.headers) }
    return {
      head,
      read: (maxBytes, progress) => readBody(response.body, head, maxBytes, progress),
      close: () => client.destroy(),
    }
  } catch (error) {
    await client.destroy()
    throw broken(error)
  }
}

/** Connects to the checked addresses only, by the order they came in and with both families tried. */
function pinned(url: URL, addresses: readonly string[], signal: AbortSignal): Connector {
  const lookup: LookupFunction = (_name, options, done) => {
    const all = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
    const [first] = all
    if (options.all) done(null, all)
    else done(null, first?.address ?? "", first?.family)
  }
  return (_options, callback) => {
    const host = bareHost(url)
    const target = { host, port: portOf(url), lookup, autoSelectFamily: true, signal }
    const secure = url.protocol === "https:"
    // A server name in TLS is a name: never an address (RFC 6066, section 3).
    const named = addresses.length !== 1 || addresses[0] !== host
    const socket: Socket = secure
      ? connectTls({ ...target, ...(named ? { servername: host } : {}), ALPNProtocols: ["http/1.1"] })
      : connectTcp(target)
    socket.setNoDelay(true)
    const abort = () => socket.destroy(new Error("aborted"))
    signal.addEventListener("abort", abort, { once: true })
    socket.once("close", () => signal.removeEventListener("abort", abort))
    const failed = (error: Error) => callback(error, null)
    socket.once("error", failed)
    socket.once(secure ? "secureConnect" : "connect", () => {
      socket.removeListener("error", failed)
      callback(null, socket)
    })
  }
}

type Connector = Extract<NonNullable<Client.Options["connect"]>, (...args: never[]) => unknown>

function flat(headers: Dispatcher.ResponseData["headers"]): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    (Array.isArray(value) ? value[0] : value) ?? "",
  ])
  return Object.fromEntries(entries) as Readonly<Record<string, string>>
}

/** More layers than this only make bombs. */
const MAX_ENCODINGS = 2

async function readBody(
  body: Readable,
  head: ResponseHead,
  maxBytes: number,
  progress: () => void,
): Promise<Body> {
  let cut = false
  // The bytes on the wire are bounded as well: a compressed stream of nothing decodes to nothing, for ever.
  async function* metered(): AsyncGenerator<Uint8Array> {
    let received = 0
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      progress()
      received += chunk.length
      if (received > maxBytes) {
        cut = true
        yield chunk.subarray(0, maxBytes - (received - chunk.length))
        return
      }
      yield chunk
    }
  }
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of decoded(metered(), head.headers["content-encoding"] ?? "")) {
      const room = maxBytes - size
      chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
      size += Math.min(chunk.length, room)
      if (chunk.length > room) {
        cut = true
        break
      }
    }
  } catch (error) {
    // What was cut ends in the middle, and a decompressor minds.
    if (!cut) throw broken(error)
  }
  return { bytes: Buffer.concat(chunks), complete: !cut }
}

function decoded(source: AsyncGenerator<Uint8Array>, header: string): AsyncIterable<Uint8Array> {
  const encodings = header
    .toLowerCase()
    .split(",")
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== "" && encoding !== "identity")
  if (encodings.length === 0) return source
  if (encodings.length > MAX_ENCODINGS) throw badEncoding()
  const steps = encodings.reverse().map((encoding) => {
    if (encoding === "gzip" || encoding === "x-gzip") return createGunzip()
    if (encoding === "deflate") return createInflate()
    if (encoding === "br") return createBrotliDecompress()
    throw badEncoding()
  })
  const last = steps.at(-1)
  if (!last) return source
  pipeline([Readable.from(source, { objectMode: false }), ...steps], () => {})
  return last
}

const badEncoding = () =>
  new WebError(
    "content_invalid",
    "The server compressed the page in a way that was not asked for and is not known. Try another source.",
  )

/** A failure of the connection or of a decompressor, in words. What the system said is in `cause`. */
export function broken(error: unknown): unknown {
  if (error instanceof WebError || !(error instanceof Error)) return error
  const code = errorCode(error)
  if (code.startsWith("Z_") || code.startsWith("ERR_BROTLI") || code.startsWith("ERR__ERROR_")) {
    return new WebError(
      "content_invalid",
      "The page is compressed wrongly and cannot be read. Try another source.",
      { reason: code },
      error,
    )
  }
  return new WebError("fetch_failed", reasonOf(code), { reason: code }, error)
}

function errorCode(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error.cause
  return inner instanceof Error ? errorCode(inner) : "unknown"
}

function reasonOf(code: string): string {
  if (code === "ECONNREFUSED")
    return "Nothing answers at this host and port. Check the URL or try another source."
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_/.test(code))
    return `The server's certificate is not valid (${code}): it may not be the one it says it is. Try another source.`
  if (code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW")
    return "The server does not answer in HTTP. Check the URL."
  if (code === "UND_ERR_SOCKET" || code === "ECONNRESET" || code.startsWith("UND_ERR_RES"))
    return "The server closed the connection before the whole page arrived. Try again, or another source."
  return `The page could not be fetched (${code}). Try again later, or another source.`
}
