import { lookup } from "node:dns/promises"
import {
  type AddressOptions,
  type AddressRules,
  addressRules,
  bareHost,
  checkAddress,
  literalAddress,
  quote,
  readUrl,
} from "./address.ts"
import { WebError } from "./errors.ts"
import { type Exchange, exchange, type ResponseHead } from "./exchange.ts"

/** All addresses of a name. Throws when there are none. */
export type Resolver = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>

/** Limits and address rules of a fetch; all have defaults. */
export interface GuardOptions extends AddressOptions {
  /** Default: the system's resolver, hosts file included. Asked once for each hop. */
  readonly resolve?: Resolver
  /** Most bytes of body that are read, before and after decompression. Default 5,000,000. */
  readonly maxBytes?: number
  /** Most redirects that are followed. Default 5. */
  readonly maxRedirects?: number
  /** Time for everything, redirects included, in ms. Default 30,000. */
  readonly timeoutMs?: number
  /** Longest time without a byte, in ms. Default 10,000. */
  readonly idleTimeoutMs?: number
}

export interface FetchOptions extends GuardOptions {
  /** Sent with every hop, to whatever host: no credentials here. Default: accept anything. */
  readonly headers?: Readonly<Record<string, string>>
  /** Called before the body of the last response is read. Throw to refuse it: nothing more is downloaded. */
  readonly accept?: (head: ResponseHead) => void
  /** Called before each request, redirects included: its turn comes when this resolves. Throw to refuse it. */
  readonly beforeHop?: (url: URL, signal: AbortSignal) => Promise<void>
  /** Closes the connection; the fetch throws the signal's reason. */
  readonly signal?: AbortSignal
}

/** A response of any status but a redirect that was followed. */
export interface GuardedResponse extends ResponseHead {
  /** Decompressed. */
  readonly bytes: Uint8Array
  /** False when the body was longer than `maxBytes`: `bytes` is its beginning. */
  readonly complete: boolean
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Headers that carry a secret. Every host on the way would get it. */
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization"])

/**
 * GETs a URL that somebody not trusted chose, and nothing but the public internet.
 *
 * The host is looked up once; every address it has must be public (or allowed), and the connection goes to those
 * addresses, so that a name that changes its mind changes nothing. Each redirect is checked the same way.
 * No cookies, no credentials, no proxy.
 *
 * ```ts
 * const page = await guardedFetch("https://example.com/", { timeoutMs: 10_000 })
 * console.log(page.status, page.url.href, page.bytes.length)
 * ```
 *
 * @throws WebError see {@link WebErrorCode}; the reason of `signal` when that fires.
 */
export async function guardedFetch(address: string, options: FetchOptions = {}): Promise<GuardedResponse> {
  const rules = addressRules(options)
  const headers = checkHeaders(options.headers ?? {})
  let url = readUrl(address, rules)
  using clock = startClock(options)
  const { signal } = clock
  const seen = new Set([withoutHash(url)])
  try {
    for (;;) {
      const addresses = await checkedAddresses(url, rules, options.resolve, signal)
      if (options.beforeHop) await clock.waitingFor(options.beforeHop(url, signal))
      clock.progress()
      const hop = await exchange(url, addresses, { headers, signal })
      try {
        clock.progress()
        const next = redirect(hop, rules)
        if (!next) return await finish(hop, options, clock)
        if (seen.has(withoutHash(next)))
          throw new WebError("redirect_refused", "The page redirects in a circle. Try another URL.")
        if (seen.size > (options.maxRedirects ?? 5))
          throw new WebError(
            "redirect_refused",
            "Too many redirects. Fetch the page they lead to, if you know it.",
          )
        seen.add(withoutHash(next))
        url = next
      } finally {
        await hop.close()
      }
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}

async function finish(hop: Exchange, options: FetchOptions, clock: Clock): Promise<GuardedResponse> {
  options.accept?.(hop.head)
  const body = await hop.read(options.maxBytes ?? 5_000_000, clock.progress)
  return { ...hop.head, ...body }
}

function redirect({ head }: Exchange, rules: AddressRules): URL | undefined {
  const location = head.headers["location"]
  if (!REDIRECTS.has(head.status) || !location) return undefined
  const next = readUrl(location, rules, head.url)
  if (head.url.protocol === "https:" && next.protocol === "http:") {
    throw new WebError(
      "redirect_refused",
      `The page redirects from https to http, at ${quote(next.host)}. Anyone on the way could change it: use another URL.`,
      { host: next.host },
    )
  }
  if (!next.hash) next.hash = head.url.hash
  return next
}

/** The addresses of the URL's host, all of them checked. */
export async function checkedAddresses(
  url: URL,
  rules: AddressRules,
  resolve: Resolver = systemResolver,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const literal = literalAddress(url)
  const addresses = literal ? [literal] : await look(bareHost(url), resolve, signal)
  for (const address of addresses) checkAddress(address, url, rules)
  return addresses
}

async function look(host: string, resolve: Resolver, signal: AbortSignal): Promise<readonly string[]> {
  signal.throwIfAborted()
  // The system's look-up cannot be stopped: the answer of an abandoned one is dropped.
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(signal.reason)
  signal.addEventListener("abort", stop, { once: true })
  try {
    const addresses = await Promise.race([resolve(host, signal), stopped.promise])
    if (addresses.length > 0) return addresses
    throw new Error("no addresses")
  } catch (error) {
    throw new WebError(
      "dns_failed",
      `${quote(host)} has no address: check its spelling, or try another source.`,
      { host },
      error,
    )
  } finally {
    signal.removeEventListener("abort", stop)
  }
}

const systemResolver: Resolver = async (hostname) => {
  const answers = await lookup(hostname, { all: true, order: "verbatim" })
  return answers.map(({ address }) => address)
}

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const name of Object.keys(headers)) {
    if (CREDENTIALS.has(name.toLowerCase()))
      throw new WebError(
        "url_invalid",
        `The header "${name}" would go to every host on the way: leave it out.`,
      )
  }
  return { accept: "*/*", ...headers }
}

interface Clock extends Disposable {
  readonly signal: AbortSignal
  /** Something arrived: the idle time starts anew. */
  readonly progress: () => void
  /** Meanwhile it is not the server that is idle. */
  readonly waitingFor: (work: Promise<void>) => Promise<void>
}

export function startClock(options: Pick<FetchOptions, "timeoutMs" | "idleTimeoutMs" | "signal">): Clock {
  const { timeoutMs = 30_000, idleTimeoutMs = 10_000, signal: outer } = options
  const controller = new AbortController()
  const expire = (what: string, ms: number) =>
    controller.abort(
      new WebError(
        "fetch_timeout",
        `The server ${what} ${ms / 1000} s. Try again later, or another source.`,
        { ms },
      ),
    )
  const total = setTimeout(() => expire("was not done after", timeoutMs), timeoutMs)
  let waiting = false
  const idle: NodeJS.Timeout = setTimeout(
    () => (waiting ? void idle.refresh() : expire("sent nothing for", idleTimeoutMs)),
    idleTimeoutMs,
  )
  const stop = () => controller.abort(outer?.reason)
  if (outer?.aborted) stop()
  outer?.addEventListener("abort", stop, { once: true })
  return {
    signal: controller.signal,
    progress: () => void idle.refresh(),
    async waitingFor(work) {
      waiting = true
      await work
      waiting = false
    },
    [Symbol.dispose]() {
      clearTimeout(total)
      clearTimeout(idle)
      outer?.removeEventListener("abort", stop)
    },
  }
}

const withoutHash = (url: URL): string => url.href.replace(/#.*$/s, "")
