import { CronError } from "./errors.ts"

/** A while in which a zone's clocks are ahead of UTC by the same `offset`, all in ms: `from <= t < to`. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly offset: number
  /** The offset just before it. */
  readonly before: number
}

const DAY = 86_400_000
/** Nowhere do clocks change and change back within it. */
const PROBE = 5 * DAY
/** So far from each other are the clocks of a zone and UTC at most. */
const MAX_OFFSET = DAY

/**
 * A time zone: when its clocks show what. What the platform knows of it is asked once for each year, since that takes
 * thousands of times as long as looking it up here.
 */
export class Zone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  readonly #years = new Map<number, readonly Stretch[]>()
  /** The two that were last asked for. */
  #last: Stretch = { from: 0, to: 0, offset: 0, before: 0 }
  #other: Stretch = this.#last

  private constructor(name: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    })
    this.name = this.#format.resolvedOptions().timeZone
  }

  static readonly #known = new Map<string, Zone>()

  /** The zone of this name, as in "Europe/Oslo". @throws CronError (`timezone_unknown`). */
  static of(name: string): Zone {
    const known = Zone.#known.get(name)
    if (known) return known
    let zone: Zone
    try {
      zone = new Zone(name)
    } catch {
      throw new CronError(
        "timezone_unknown",
        `There is no time zone ${JSON.stringify(name.slice(0, 64))}: use a name such as "Europe/Oslo" or "UTC".`,
      )
    }
    // Each spelling once. There are as many as somebody thinks of.
    if (Zone.#known.size >= MAX_KNOWN) Zone.#known.clear()
    Zone.#known.set(name, zone)
    return zone
  }

  /** The stretch that an instant is in. Some end where a year does and nothing else. */
  at(instant: number): Stretch {
    if (instant >= this.#last.from && instant < this.#last.to) return this.#last
    if (instant >= this.#other.from && instant < this.#other.to) return this.#other
    const year = new Date(instant).getUTCFullYear()
    let stretches = this.#years.get(year)
    if (!stretches) {
      stretches = this.#yearOf(year)
      this.#years.set(year, stretches)
    }
    for (const stretch of stretches) {
      if (instant < stretch.to) {
        this.#other = this.#last
        this.#last = stretch
        return stretch
      }
    }
    throw new RangeError("The instant is not in its year.")
  }

  /** When the clocks show this, which is given as if it were UTC: the first time of two, the end of the gap it is in. */
  instantOf(wall: number): number {
    let stretch = this.at(wall - MAX_OFFSET)
    for (;;) {
      const instant = wall - stretch.offset
      if (instant < stretch.to) return Math.max(instant, stretch.from)
      stretch = this.at(stretch.to)
    }
  }

  #yearOf(year: number): readonly Stretch[] {
    const end = Date.UTC(year + 1, 0)
    const found: Stretch[] = []
    let from = Date.UTC(year, 0)
    let before = this.#offset(from - 1_000)
    let offset = this.#offset(from)
    for (let seen = from; seen < end; ) {
      const next = Math.min(seen + PROBE, end - 1_000)
      const after = this.#offset(next)
      if (after !== offset) {
        const change = this.#changeBetween(seen, next, offset)
        found.push({ from, to: change, offset, before })
        from = change
        before = offset
        offset = this.#offset(change)
        seen = change
      } else seen = next < end - 1_000 ? next : end
    }
    found.push({ from, to: end, offset, before })
    return found
  }

  /** The first whole second that is not at the offset any more. */
  #changeBetween(before: number, after: number, offset: number): number {
    let low = before
    let high = after
    while (high - low > 1_000) {
      const middle = low + Math.floor((high - low) / 2_000) * 1_000
      if (this.#offset(middle) === offset) low = middle
      else high = middle
    }
    return high
  }

  #offset(instant: number): number {
    const shown: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(instant)) shown[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1_000) * 1_000
  }
}

const MAX_KNOWN = 1_000
