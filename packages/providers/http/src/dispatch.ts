/** Bytes of a body that wait for their reader before the service is told to wait as well. */
const MAX_WAITING = 262_144
/** The watchdog keeps time. */
const NO_LIMIT = 0

/** A response as it arrives. That of fetch is one. */
export interface Incoming {
  readonly status: number
  readonly headers: Pick<Headers, "get">
  readonly body: AsyncIterable<Uint8Array> | null
  text(): Promise<string>
}

export interface Outgoing {
  readonly method: "POST"
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
}

/** The part of undici's Dispatcher that is used here. */
export interface Dispatcher {
  dispatch(
    request: {
      readonly origin: string
      readonly path: string
      readonly method: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly headersTimeout: number
      readonly bodyTimeout: number
    },
    handler: DispatchHandler,
  ): unknown
}

interface DispatchHandler {
  onConnect(abort: (reason: unknown) => void): void
  /** `headers` has names and values in turn. False, here and below: send no more until `resume` is called. */
  onHeaders(status: number, headers: readonly Uint8Array[], resume: () => void): boolean
  onData(bytes: Uint8Array): boolean
  onComplete(): void
  onError(error: unknown): void
}

/**
 * What Node's fetch hands its requests to: the platform's own, one for the proxy of the environment, or what an
 * application has set with undici's `setGlobalDispatcher`. Undefined on other platforms, and in Node before anything
 * of fetch was used. The number is that of the interface: Node 20 to 26 keep this one.
 */
export const platformDispatcher = (): Dispatcher | undefined =>
  Reflect.get(globalThis, Symbol.for("undici.globalDispatcher.1"))

/**
 * Sends a request without fetch: for one request and its answer, the streams, signals and copies that its standard
 * asks for cost several times what the socket does. Undefined when the service sends us elsewhere: fetch knows how to
 * go there.
 */
export async function dispatch(
  dispatcher: Dispatcher,
  url: URL,
  { method, headers, body, signal }: Outgoing,
): Promise<Incoming | undefined> {
  signal.throwIfAborted()
  const exchange = new Exchange(signal)
  const request = {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: { ...headers, "accept-encoding": "identity" },
    body,
    headersTimeout: NO_LIMIT,
    bodyTimeout: NO_LIMIT,
  }
  dispatcher.dispatch(request, exchange)
  return await exchange.response
}

/**
 * Between the socket, which brings pieces of a body when it wants to, and its one reader, who asks for them. A class,
 * as everything here that each request has its own of: what the engine has compiled for closures it throws away with
 * the last of them, at the next collection of garbage.
 */
class Exchange implements DispatchHandler {
  readonly #signal: AbortSignal
  readonly #response = Promise.withResolvers<Incoming | undefined>()
  #pieces: Uint8Array[] = []
  #waiting = 0
  #full = false
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined
  #abort: ((reason: unknown) => void) | undefined
  #resume: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener("abort", this, { once: true })
  }

  get response(): Promise<Incoming | undefined> {
    return this.#response.promise
  }

  /** The signal has fired. */
  handleEvent(): void {
    const { reason } = this.#signal
    this.#pieces = []
    this.onError(reason)
    this.#abort?.(reason)
  }

  onConnect(abort: (reason: unknown) => void): void {
    this.#abort = abort
    if (this.#signal.aborted) abort(this.#signal.reason)
  }

  onHeaders(status: number, raw: readonly Uint8Array[], resume: () => void): boolean {
    // An early hint: the response itself is still to come.
    if (status < 200) return true
    this.#resume = resume
    if (status >= 300 && status < 400) {
      this.#response.resolve(undefined)
      this.#abort?.(new Error("It is somewhere else."))
      return true
    }
    const headers = new RawHeaders(raw)
    this.#response.resolve(
      new Arrived(status, headers, decoded(this.#read(), headers.get("content-encoding"))),
    )
    return true
  }

  onData(bytes: Uint8Array): boolean {
    this.#pieces.push(bytes)
    this.#waiting += bytes.length
    this.#full = this.#waiting >= MAX_WAITING
    this.#wake?.()
    return !this.#full
  }

  onComplete(): void {
    this.#signal.removeEventListener("abort", this)
    this.#ended = true
    this.#wake?.()
  }

  onError(error: unknown): void {
    this.#signal.removeEventListener("abort", this)
    this.#failure ??= { error }
    this.#response.reject(error)
    this.#wake?.()
  }

  async *#read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const bytes = this.#pieces.shift()
      if (bytes) {
        this.#waiting -= bytes.length
        yield bytes
      } else if (this.#failure) throw this.#failure.error
      else if (this.#ended) return
      else if (this.#full) {
        this.#full = false
        this.#resume?.()
      } else
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
    }
  }
}

class Arrived implements Incoming {
  readonly status: number
  readonly headers: Pick<Headers, "get">
  readonly body: AsyncIterable<Uint8Array>

  constructor(status: number, headers: Pick<Headers, "get">, body: AsyncIterable<Uint8Array>) {
    this.status = status
    this.headers = headers
    this.body = body
  }

  async text(): Promise<string> {
    const utf8 = new TextDecoder()
    let text = ""
    for await (const bytes of this.body) text += utf8.decode(bytes, { stream: true })
    return text + utf8.decode()
  }
}

const decoder = new TextDecoder("latin1")

class RawHeaders implements Pick<Headers, "get"> {
  readonly #raw: readonly Uint8Array[]

  constructor(raw: readonly Uint8Array[]) {
    this.#raw = raw
  }

  get(wanted: string): string | null {
    for (let at = 0; at < this.#raw.length; at += 2) {
      if (decoder.decode(this.#raw[at]).toLowerCase() === wanted) return decoder.decode(this.#raw[at + 1])
    }
    return null
  }
}

/** Nothing was asked to be compressed. Servers and proxies exist that do it all the same. */
function decoded(body: AsyncIterable<Uint8Array>, encoding: string | null): AsyncIterable<Uint8Array> {
  if (encoding !== "gzip" && encoding !== "deflate") return body
  return ReadableStream.from(body).pipeThrough(new DecompressionStream(encoding))
}
