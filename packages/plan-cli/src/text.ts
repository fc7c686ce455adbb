/** How a text of the terminal looks. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan"

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

/** A text in a style, or as it is where there are no colours. */
export type Paint = (style: Style, text: string) => string

export const painter =
  (hasColor: boolean): Paint =>
  (style, text) => {
    const [on, off] = CODES[style]
    return hasColor ? `\u001b[${on}m${text}\u001b[${off}m` : text
  }

/** What steers a terminal, or turns the direction of writing: services name themselves, and write what they like. */
const STEERING = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** The value with all its texts as a terminal can show them; lines and tabs stay. */
export function shown<T>(value: T): T {
  if (typeof value === "string")
    return value.replace(STEERING, (char) => (char === "\n" || char === "\t" ? char : "\ufffd")) as T
  if (Array.isArray(value)) return value.map(shown) as T
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [shown(key), shown(each)])) as T
}

/** On one line, of at most so many characters. */
export function short(text: string, most: number): string {
  const line = [...text.replace(/\s+/g, " ").trim()]
  return line.length <= most ? line.join("") : `${line.slice(0, most - 1).join("")}…`
}

const STYLING = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g")
const width = (cell: string): number => [...cell.replace(STYLING, "")].length

/** Rows below a heading, in columns. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}

/** Lines in a box with a title, open to the right: what is in it has any width. */
export const box = (title: string, lines: readonly string[]): string =>
  [
    `┌─ ${title}`,
    ...lines.flatMap((line) => line.split("\n")).map((line) => `│ ${line}`.trimEnd()),
    "└─",
  ].join("\n")

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1_000, "s"],
] as const

/** How long ago something was: "5s ago". */
export function ago(timestamp: string, now: number): string {
  const ms = Math.max(0, now - Date.parse(timestamp))
  const [size, unit] = UNITS.find(([size]) => ms >= size) ?? [1_000, "s"]
  return `${Math.floor(ms / size)}${unit} ago`
}

/** A duration in ns: "1.2s". */
export function duration(nanoseconds: number): string {
  const ms = nanoseconds / 1e6
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`
  return ms < 3_600_000
    ? `${Math.floor(ms / 60_000)}m${Math.floor((ms % 60_000) / 1_000)}s`
    : `${Math.floor(ms / 3_600_000)}h${Math.floor((ms % 3_600_000) / 60_000)}m`
}

const SYMBOLS: Readonly<Record<string, readonly [string, Style]>> = {
  pending: ["○", "dim"],
  processing: ["◎", "cyan"],
  completed: ["●", "green"],
  delivered: ["●", "green"],
  dead: ["✕", "red"],
  dropped: ["⊗", "dim"],
  partial: ["●", "yellow"],
  failed: ["✕", "red"],
  expired: ["✕", "red"],
  not_actionable: ["⊘", "yellow"],
  paused: ["⏸", "yellow"],
  aborted: ["⊟", "yellow"],
  cancelled: ["⊗", "yellow"],
}

/** A status with its symbol. */
export function status(name: string, paint: Paint): string {
  const [symbol, style] = SYMBOLS[name] ?? ["·", "dim"]
  return paint(style, `${symbol} ${name.replaceAll("_", " ")}`)
}

/** JSON as people read it. */
export const pretty = (value: unknown): string => JSON.stringify(value, undefined, 2)
