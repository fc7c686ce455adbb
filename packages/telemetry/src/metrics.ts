import { InvalidInput } from "@orra/core"

/** What tells series of one metric apart. */
export type Labels = Readonly<Record<string, string>>

export type MetricKind = "counter" | "gauge" | "histogram"

/** What a histogram has seen. The quantiles are of its last 512 values. */
export interface HistogramStats {
  readonly count: number
  readonly sum: number
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** One series as it stands. */
export interface MetricPoint {
  readonly name: string
  readonly kind: MetricKind
  readonly labels: Labels
  /** Of a counter or gauge; of a histogram the sum. */
  readonly value: number
  /** Of a histogram: how many values were at most each bound, in the order of the bounds; the last one is without bound. */
  readonly buckets?: readonly { readonly atMost: number; readonly count: number }[]
}

export interface MetricsOptions {
  /**
   * How many different values one label of one metric may have, default 100. Those that come later count as `other`:
   * what is measured grows with neither users nor what a model makes up.
   */
  readonly maxValues?: number
  /** Upper bounds of a histogram's buckets by its name, where the default does not fit: 5 ms to 2 min in ms. */
  readonly buckets?: Readonly<Record<string, readonly number[]>>
  /** The time in ms for timers. Default `performance.now`. */
  readonly clock?: () => number
}

interface Series {
  readonly labels: Labels
  value: number
  readonly histogram?: Histogram
}

interface Family {
  readonly kind: MetricKind
  /** The names of the labels, in order, separated by spaces. */
  readonly shape: string
  readonly series: Map<string, Series>
  readonly values: Map<string, Set<string>>
}

const NAME = /^[a-zA-Z_][a-zA-Z0-9_.]*$/
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/
const MAX_VALUE_LENGTH = 128
const OTHER = "other"
const LATENCIES = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000]

/**
 * Counters, gauges and histograms in memory. What they take is bounded by the metrics and labels there are, not by how
 * long or by how many they are used.
 *
 * ```ts
 * const metrics = new Metrics()
 * metrics.increment("agent.tool.calls", { tool: "exec" })
 * metrics.observe("agent.tool.latency_ms", 12.5, { tool: "exec" })
 * metrics.value("agent.tool.calls", { tool: "exec" }) // 1
 * ```
 */
export class Metrics {
  readonly #families = new Map<string, Family>()
  /** By the name in Prometheus, which has no dots. */
  readonly #exposed = new Map<string, string>()
  readonly #maxValues: number
  readonly #buckets: Readonly<Record<string, readonly number[]>>
  readonly #clock: () => number

  /** @throws InvalidInput for buckets that do not grow. */
  constructor({ maxValues = 100, buckets = {}, clock = () => performance.now() }: MetricsOptions = {}) {
    for (const bounds of Object.values(buckets)) {
      const grows = bounds.every(
        (bound, at) => Number.isFinite(bound) && bound > (bounds[at - 1] ?? Number.NEGATIVE_INFINITY),
      )
      if (!grows || bounds.length === 0)
        throw new InvalidInput("The bounds of buckets are numbers, each larger than the one before.")
    }
    this.#maxValues = maxValues
    this.#buckets = buckets
    this.#clock = clock
  }

  /** Adds to a counter. @throws InvalidInput for less than nothing, or a name or labels that are another metric's. */
  increment(name: string, labels: Labels = {}, by = 1): void {
    if (!(by >= 0 && by < Number.POSITIVE_INFINITY))
      throw new InvalidInput("A counter only grows: count by 0 or more.", { name })
    this.#series(name, "counter", labels).value += by
  }

  /** Sets a gauge. @throws InvalidInput for what is no number, or a name or labels that are another metric's. */
  gauge(name: string, value: number, labels: Labels = {}): void {
    if (Number.isNaN(value)) throw new InvalidInput("A gauge shows a number.", { name })
    this.#series(name, "gauge", labels).value = value
  }

  /** Moves a gauge up or down. @throws as `gauge`. */
  adjust(name: string, by: number, labels: Labels = {}): void {
    this.gauge(name, this.value(name, labels) + by, labels)
  }

  /** Puts a value into a histogram. @throws InvalidInput for what is no finite number, or a name or labels that are another metric's. */
  observe(name: string, value: number, labels: Labels = {}): void {
    if (!Number.isFinite(value)) throw new InvalidInput("A histogram takes finite numbers.", { name })
    const series = this.#series(name, "histogram", labels)
    series.value += value
    series.histogram?.add(value)
  }

  /** Measures a time: `stop` puts it into the histogram, in ms, and returns it. */
  timer(name: string, labels: Labels = {}): { elapsed(): number; stop(): number } {
    const began = this.#clock()
    const elapsed = (): number => this.#clock() - began
    return {
      elapsed,
      stop: () => {
        const ms = elapsed()
        this.observe(name, ms, labels)
        return ms
      },
    }
  }

  /** A counter, a gauge, or the sum of a histogram. 0 when nothing was recorded. */
  value(name: string, labels: Labels = {}): number {
    return this.#find(name, labels)?.value ?? 0
  }

  /** Undefined when nothing was recorded, or it is no histogram. */
  stats(name: string, labels: Labels = {}): HistogramStats | undefined {
    return this.#find(name, labels)?.histogram?.stats()
  }

  /** All there is, in the order in which it came. */
  snapshot(): readonly MetricPoint[] {
    const points: MetricPoint[] = []
    for (const [name, { kind, series }] of this.#families) {
      for (const { labels, value, histogram } of series.values()) {
        points.push({ name, kind, labels, value, ...(histogram && { buckets: histogram.cumulated() }) })
      }
    }
    return points
  }

  /** Forgets all values. */
  reset(): void {
    this.#families.clear()
    this.#exposed.clear()
  }

  #find(name: string, labels: Labels): Series | undefined {
    const family = this.#families.get(name)
    return family?.series.get(keyOf(bounded(family, labels, 0)))
  }

  #series(name: string, kind: MetricKind, given: Labels): Series {
    const family = this.#families.get(name) ?? this.#add(name, kind, given)
    if (family.kind !== kind) throw new InvalidInput(`The metric is a ${family.kind} already.`, { name })
    const labels = bounded(family, given, this.#maxValues)
    const key = keyOf(labels)
    const known = family.series.get(key)
    if (known) return known
    if (shapeOf(given) !== family.shape) {
      throw new InvalidInput("All series of a metric have the same labels.", { name, labels: family.shape })
    }
    const bounds = this.#buckets[name] ?? LATENCIES
    const series = { labels, value: 0, ...(kind === "histogram" && { histogram: new Histogram(bounds) }) }
    family.series.set(key, series)
    return series
  }

  #add(name: string, kind: MetricKind, labels: Labels): Family {
    if (!NAME.test(name))
      throw new InvalidInput("A metric's name has letters, digits, dots and underscores.", { name })
    for (const label of Object.keys(labels)) {
      if (!LABEL.test(label) || label === "le")
        throw new InvalidInput("A label's name has letters, digits and underscores.", { label })
    }
    for (const exposed of exposedNames(name, kind)) {
      const other = this.#exposed.get(exposed)
      if (other !== undefined)
        throw new InvalidInput("In Prometheus this metric would have the name of another one.", {
          name,
          other,
        })
    }
    for (const exposed of exposedNames(name, kind)) this.#exposed.set(exposed, name)
    const family = { kind, shape: shapeOf(labels), series: new Map(), values: new Map() }
    this.#families.set(name, family)
    return family
  }
}

/** The name without dots; a counter's ends in `_total`. */
export function exposedName(name: string, kind: MetricKind): string {
  const plain = name.replaceAll(".", "_")
  return kind === "counter" && !plain.endsWith("_total") ? `${plain}_total` : plain
}

function exposedNames(name: string, kind: MetricKind): readonly string[] {
  const exposed = exposedName(name, kind)
  return kind === "histogram"
    ? [exposed, `${exposed}_bucket`, `${exposed}_sum`, `${exposed}_count`]
    : [exposed]
}

const shapeOf = (labels: Labels): string => Object.keys(labels).sort().join(" ")

/** The values that are counted by: `other` for what came after the first `most`. With 0 it only looks. */
function bounded({ values }: Family, labels: Labels, most: number): Labels {
  const kept: Record<string, string> = {}
  for (const label of Object.keys(labels).sort()) {
    const value = String(labels[label]).slice(0, MAX_VALUE_LENGTH).toWellFormed()
    const known = values.get(label) ?? new Set()
    const isKnown = known.has(value)
    if (!isKnown && known.size < most) values.set(label, known.add(value))
    kept[label] = isKnown || known.size < most || known.has(value) ? value : OTHER
  }
  return kept
}

/** Of labels in the order of their names. */
const keyOf = (labels: Labels): string => JSON.stringify(labels)

const KEPT = 512

/** Buckets for as long as it lives, and the last values for quantiles. */
class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  readonly #last: number[] = []
  #count = 0
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array(bounds.length + 1).fill(0)
  }

  add(value: number): void {
    const place = this.#bounds.findIndex((bound) => value <= bound)
    const at = place === -1 ? this.#bounds.length : place
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#last[this.#count % KEPT] = value
    this.#count++
    this.#sum += value
    this.#min = Math.min(this.#min, value)
    this.#max = Math.max(this.#max, value)
  }

  cumulated(): readonly { readonly atMost: number; readonly count: number }[] {
    let count = 0
    return this.#counts.map((more, at) => {
      count += more
      return { atMost: this.#bounds[at] ?? Number.POSITIVE_INFINITY, count }
    })
  }

  stats(): HistogramStats {
    const sorted = [...this.#last].sort((a, b) => a - b)
    const quantile = (share: number): number =>
      sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? 0
    return {
      count: this.#count,
      sum: this.#sum,
      mean: this.#sum / this.#count,
      min: this.#min,
      max: this.#max,
      p50: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
    }
  }
}
