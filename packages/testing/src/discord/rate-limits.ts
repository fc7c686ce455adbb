/** How many requests a route may get in how much time. */
export interface RateLimit {
  readonly requests: number
  readonly ms: number
}

interface Window {
  left: number
  readonly endsAt: number
}

/** Counts requests by route and by the channel or server in it, as Discord does. */
export class RateLimits {
  readonly #limit: RateLimit | undefined
  readonly #windows = new Map<string, Window>()

  constructor(limit: RateLimit | undefined) {
    this.#limit = limit
  }

  /** The headers of the answer, and how long to wait, in seconds, when it is one too many. */
  count(method: string, path: string): { readonly headers: Record<string, string>; readonly wait?: number } {
    if (!this.#limit) return { headers: {} }
    const { requests, ms } = this.#limit
    // The ids after the first do not tell routes apart.
    const [, first = "", id = "", ...rest] = path.split("/")
    const route = [method, first, ...rest.map((part) => (/^\d+$/.test(part) ? ":id" : part))].join("/")
    const key = `${route} ${id}`
    const now = Date.now()
    let window = this.#windows.get(key)
    if (!window || window.endsAt <= now) {
      window = { left: requests, endsAt: now + ms }
      this.#windows.set(key, window)
    }
    const seconds = (window.endsAt - now) / 1_000
    const tooMany = window.left === 0
    if (!tooMany) window.left--
    return {
      headers: {
        "x-ratelimit-limit": String(requests),
        "x-ratelimit-remaining": String(window.left),
        "x-ratelimit-reset": String(window.endsAt / 1_000),
        "x-ratelimit-reset-after": String(seconds),
        // Discord names a bucket by its route alone: each channel has one of that name.
        "x-ratelimit-bucket": route.replaceAll("/", "-").replaceAll(":", ""),
        ...(tooMany && { "retry-after": String(seconds) }),
      },
      ...(tooMany && { wait: seconds }),
    }
  }
}
