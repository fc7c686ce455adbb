import { setTimeout as sleep } from "node:timers/promises"
import robots from "robots-parser"
import { WebError } from "./errors.ts"
import { type GuardOptions, guardedFetch } from "./guarded-fetch.ts"

// What it exports is the function itself; its types say otherwise.
const robotsParser = robots as unknown as typeof robots.default

/** How servers are treated. */
export interface PolitenessOptions {
  /**
   * Ask each site's robots.txt, and keep to it (RFC 9309): for reading many pages. One that a person asked for is not
   * a crawl. Default false.
   */
  readonly robots?: boolean
  /** Least time between two requests to the same host, in ms; a site's own `Crawl-delay` may be longer. Default 0. */
  readonly delayMs?: number
}

/** The name that robots.txt files know us by. */
const AGENT = "Orra"
const MAX_BYTES = 500_000
const KEPT_MS = 3_600_000
const MAX_SITES = 500
/** A site that wants more time between two requests does not want to be read. */
const MAX_DELAY_MS = 30_000

interface Rules {
  readonly allows: (url: string) => boolean
  readonly delayMs: number
  readonly until: number
}

/** Waits for its turn at each host, and asks robots.txt where that is wanted. */
export class Politeness {
  readonly #options: PolitenessOptions & GuardOptions
  readonly #rules = new Map<string, Promise<Rules>>()
  /** When the next request to a host may be made, by its name. */
  readonly #turns = new Map<string, number>()

  constructor(options: PolitenessOptions & GuardOptions) {
    this.#options = options
  }

  /** Resolves when the URL may be asked for. @throws WebError (`robots_refused`). */
  async turn(url: URL, signal: AbortSignal): Promise<void> {
    const { robots = false, delayMs = 0 } = this.#options
    const rules = robots ? await this.#rulesOf(url, signal) : undefined
    if (rules && !rules.allows(url.href)) {
      throw new WebError(
        "robots_refused",
        "The site asks programs not to read this page (robots.txt): try another source.",
        { host: url.host },
      )
    }
    const pause = Math.max(delayMs, rules?.delayMs ?? 0)
    if (pause === 0) return
    const now = performance.now()
    const at = Math.max(now, this.#turns.get(url.host) ?? 0)
    if (this.#turns.size >= MAX_SITES) this.#turns.clear()
    this.#turns.set(url.host, at + pause)
    if (at > now) await sleep(at - now, undefined, { signal })
  }

  #rulesOf(url: URL, signal: AbortSignal): Promise<Rules> {
    const known = this.#rules.get(url.origin)
    const rules = known
      ? known.then((found) => (found.until > performance.now() ? found : this.#ask(url, signal)))
      : this.#ask(url, signal)
    this.#rules.delete(url.origin)
    this.#rules.set(url.origin, rules)
    // What failed is asked for again the next time.
    rules.catch(() => this.#rules.delete(url.origin))
    const [oldest] = this.#rules.keys()
    if (this.#rules.size > MAX_SITES && oldest !== undefined) this.#rules.delete(oldest)
    return rules
  }

  async #ask(url: URL, signal: AbortSignal): Promise<Rules> {
    const address = new URL("/robots.txt", url).href
    const { status, bytes } = await guardedFetch(address, { ...this.#options, maxBytes: MAX_BYTES, signal })
    const until = performance.now() + KEPT_MS
    // RFC 9309, 2.3.1: a site that cannot answer is not read; one that has no such file may be.
    if (status >= 500) return { allows: () => false, delayMs: 0, until }
    if (status < 200 || status > 299) return { allows: () => true, delayMs: 0, until }
    const rules = robotsParser(address, new TextDecoder().decode(bytes))
    const delay = (rules.getCrawlDelay(AGENT) ?? 0) * 1_000
    return {
      allows: (page) => delay <= MAX_DELAY_MS && rules.isAllowed(page, AGENT) !== false,
      delayMs: Number.isFinite(delay) ? delay : 0,
      until,
    }
  }
}
