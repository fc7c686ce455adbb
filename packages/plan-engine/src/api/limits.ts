import { ApiError } from "./api-error.ts"

/** What a project may ask of an engine. */
export interface PlanLimits {
  /** Requests per second of one key, default 200; ten seconds of them at once. */
  readonly requestsPerSecond?: number
  /** Orchestrations of a project that have not ended, default 1,000. */
  readonly inFlight?: number
  /** Event streams of a project that are open in a process, default 200. */
  readonly streams?: number
  /** Most tasks of a plan, default 100. */
  readonly tasks?: number
  /** Most bytes of a request, default 1 MiB; a frame of a service may have 10 MiB. */
  readonly bodyBytes?: number
}

/** How long a key's requests are remembered that asked for nothing, in s: so long, and it has all of them again. */
const BURST_S = 10
const SWEEP_AT = 10_000

/** How fast each key may ask. `now` is in ms, and never goes back. */
export class RequestRates {
  readonly #perSecond: number
  readonly #now: () => number
  /** Until when each key has used up what it may, in ms. */
  readonly #usedUntil = new Map<string, number>()

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
  }

  /** Counts a request. @returns 0 when it may be answered, else after how many whole seconds to ask again. */
  take(key: string): number {
    const now = this.#now()
    const costMs = 1_000 / this.#perSecond
    // Not from times that were added up: the first request of a key would be too much by a rounding error.
    const usedMs = Math.max(0, (this.#usedUntil.get(key) ?? 0) - now)
    const overMs = usedMs + costMs - Math.max(BURST_S * 1_000, costMs)
    if (overMs > 0) return Math.ceil(overMs / 1_000)
    if (this.#usedUntil.size >= SWEEP_AT) this.#sweep(now)
    this.#usedUntil.set(key, now + usedMs + costMs)
    return 0
  }

  #sweep(now: number): void {
    for (const [key, until] of this.#usedUntil) if (until <= now) this.#usedUntil.delete(key)
  }
}

/** How many event streams each project has open. */
export class OpenStreams {
  readonly #most: number
  readonly #open = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Counts one until it is disposed of. @throws ApiError when there are too many. */
  open(project: string): Disposable {
    const count = this.#open.get(project) ?? 0
    if (count >= this.#most)
      throw new ApiError(
        429,
        "invalid operation",
        `This project has ${this.#most} event streams open here: close one.`,
        "Orra:TooManyStreams",
        undefined,
        1,
      )
    this.#open.set(project, count + 1)
    return {
      [Symbol.dispose]: () => {
        const left = (this.#open.get(project) ?? 0) - 1
        if (left > 0) this.#open.set(project, left)
        else this.#open.delete(project)
      },
    }
  }
}
