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
    handler: {
      onConnect(abort: (reason: unknown) => void): void
      /** `headers` has names and values in turn. False, here and below: send no more until `resume` is called. */
      onHeaders(status: number, headers: readonly Uint8Array[], resume: () => void): boolean
      onData(bytes: Uint8Array): boolean
      onComplete(): void
      onError(error: unknown): void
    },
  ): unknown
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
export function dispatch(
  dispatcher: Dispatcher,
  url: URL,
  { method, headers, body, signal }: Outgoing,
): Promise<Incoming | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const arriving = arrivingBody()
    let abort: ((reason: unknown) => void) | undefined
    const over = (error: unknown): void => {
      signal.removeEventListener("abort", stop)
      arriving.fail(error)
      reject(error)
    }
    const stop = (): void => {
      arriving.discard()
      over(signal.reason)
      abort?.(signal.reason)
    }
    signal.addEventListener("abort", stop, { once: true })
    const request = {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...headers, "accept-encoding": "identity" },
      body,
      headersTimeout: NO_LIMIT,
      bodyTimeout: NO_LIMIT,
    }
    dispatcher.dispatch(request, {
      onConnect(end) {
        abort = end
        if (signal.aborted) end(signal.reason)
      },
      onHeaders(status, raw, resume) {
        // An early hint: the response itself is still to come.
        if (status < 200) return true
        if (status >= 300 && status < 400) {
          resolve(undefined)
          abort?.(new Error("It is somewhere else."))
          return true
        }
        const values = headersOf(raw)
        const pieces = decoded(arriving.read(resume), values.get("content-encoding"))
        resolve({ status, headers: values, body: pieces, text: () => textOf(pieces) })
        return true
      },
      onData: (bytes) => arriving.push(bytes),
      onComplete() {
        signal.removeEventListener("abort", stop)
        arriving.end()
      },
      onError: over,
    })
  })
}

/** A body between the socket, which brings pieces when it wants to, and its one reader, who asks for them. */
function arrivingBody() {
  let pieces: Uint8Array[] = []
  let waiting = 0
  let full = false
  let ended = false
  let failure: { readonly error: unknown } | undefined
  let wake = (): void => {}
  return {
    /** False when the reader should be waited for. */
    push(bytes: Uint8Array): boolean {
      pieces.push(bytes)
      waiting += bytes.length
      full = waiting >= MAX_WAITING
      wake()
      return !full
    },
    end(): void {
      ended = true
      wake()
    },
    fail(error: unknown): void {
      failure ??= { error }
      wake()
    },
    discard(): void {
      pieces = []
    },
    async *read(resume: () => void): AsyncGenerator<Uint8Array, void, undefined> {
      for (;;) {
        const bytes = pieces.shift()
        if (bytes) {
          waiting -= bytes.length
          yield bytes
        } else if (failure) throw failure.error
        else if (ended) return
        else if (full) {
          full = false
          resume()
        } else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    },
  }
}

const decoder = new TextDecoder("latin1")

function headersOf(raw: readonly Uint8Array[]): Pick<Headers, "get"> {
  return {
    get(wanted) {
      const at = raw.findIndex(
        (name, index) => index % 2 === 0 && decoder.decode(name).toLowerCase() === wanted,
      )
      return at < 0 ? null : decoder.decode(raw[at + 1])
    },
  }
}

/** Nothing was asked to be compressed. Servers and proxies exist that do it all the same. */
function decoded(body: AsyncIterable<Uint8Array>, encoding: string | null): AsyncIterable<Uint8Array> {
  if (encoding !== "gzip" && encoding !== "deflate") return body
  return ReadableStream.from(body).pipeThrough(new DecompressionStream(encoding))
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const utf8 = new TextDecoder()
  let text = ""
  for await (const bytes of body) text += utf8.decode(bytes, { stream: true })
  return text + utf8.decode()
}
