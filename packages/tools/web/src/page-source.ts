import { createRequire } from "node:module"
import type { Namespace } from "@orra/core"
import { addressRules } from "./address.ts"
import type { ResponseHead } from "./exchange.ts"
import { type GuardedResponse, type GuardOptions, guardedFetch } from "./guarded-fetch.ts"
import { Politeness, type PolitenessOptions } from "./robots.ts"
import { Turns } from "./turns.ts"

export interface PageOptions extends GuardOptions, PolitenessOptions {
  /** How long a page that was fetched is taken for the present one, in the same namespace. Default 300,000 ms; 0: never. */
  readonly cacheMs?: number
}

/** A page, and for how long it has been known. */
export type Page = GuardedResponse & { readonly ageMs: number }

interface Kept {
  readonly response: GuardedResponse
  readonly at: number
}

const MAX_KEPT_BYTES = 50_000_000
/** Threads in which pages are read: each may take half a gigabyte. */
const READINGS = 4

/** Where the tools have their pages from: the web, or what one of them fetched a moment ago for the same namespace. */
export class PageSource {
  readonly #options: PageOptions
  readonly #politeness: Politeness
  /** For reading what was fetched. */
  readonly readings = new Turns(READINGS)
  /** By namespace and URL, in the order they were used. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  /** @throws WebError (`url_invalid`) for an option that is none: at start, not in the middle of a conversation. */
  constructor(options: PageOptions) {
    addressRules(options)
    this.#options = options
    this.#politeness = new Politeness(options)
  }

  /** How long reading a page may take, in ms. */
  get timeoutMs(): number {
    return this.#options.timeoutMs ?? 30_000
  }

  async get(
    namespace: Namespace,
    url: string,
    { signal, accept }: { readonly signal: AbortSignal; readonly accept: (head: ResponseHead) => void },
  ): Promise<Page> {
    const { cacheMs = 300_000 } = this.#options
    const key = `${namespace.key}\n${url}`
    const known = this.#kept.get(key)
    if (known) this.#forget(key, known)
    const ageMs = known ? performance.now() - known.at : Number.POSITIVE_INFINITY
    if (known && ageMs < cacheMs) {
      accept(known.response)
      this.#keep(key, known)
      return { ...known.response, ageMs }
    }
    const response = await guardedFetch(url, {
      ...this.#options,
      headers: HEADERS,
      accept,
      signal,
      beforeHop: (hop, stopped) => this.#politeness.turn(hop, stopped),
    })
    const forbidden = /\bno-store\b/i.test(response.headers["cache-control"] ?? "")
    if (cacheMs > 0 && !forbidden) this.#keep(key, { response, at: performance.now() })
    return { ...response, ageMs: 0 }
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept)
    this.#bytes += kept.response.bytes.length
    for (const [oldest, { response }] of this.#kept) {
      if (this.#bytes <= MAX_KEPT_BYTES) return
      this.#kept.delete(oldest)
      this.#bytes -= response.bytes.length
    }
  }

  #forget(key: string, { response }: Kept): void {
    this.#kept.delete(key)
    this.#bytes -= response.bytes.length
  }
}

const { version } = createRequire(import.meta.url)("../package.json") as { readonly version: string }

const HEADERS = {
  accept:
    "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
  "user-agent": `Orra/${version}`,
}
