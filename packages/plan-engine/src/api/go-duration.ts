const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
}
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy

/**
 * A duration as Go writes it ("1h30m", "1.5s") or as a number of nanoseconds, in ms.
 *
 * @returns undefined for anything else, and for one below zero.
 */
export function readDuration(value: unknown): number | undefined {
  if (typeof value === "number") return value >= 0 ? value / 1e6 : undefined
  if (typeof value !== "string") return undefined
  const text = value.trim()
  if (text === "0") return 0
  const parts = [...text.matchAll(PART)]
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) return undefined
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0), 0) / 1e6
}

/** A duration in ms as Go writes it: "30m0s", "1.5s", "250ms". */
export function writeDuration(ms: number): string {
  if (ms === 0) return "0s"
  if (ms < 1) return `${ms * 1_000}µs`
  if (ms < 1_000) return `${ms}ms`
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor((ms % 3_600_000) / 60_000)]
  const seconds = `${(ms % 60_000) / 1_000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
