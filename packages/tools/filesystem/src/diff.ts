import { firstCodePoints } from "@orra/core"
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff"

const LINES = 200
const LINE = 500
/** Texts that have little in common take long to compare, and the comparison says little. */
const TIMEOUT_MS = 300
const LARGEST = 2_000_000

/** What a change did, as a unified diff with three lines around; or why there is none. */
export function diffOf(path: string, before: string, after: string): string {
  if (before === after) return "[nothing changed]"
  const [old, now] = [before, after].map((text) => text.replaceAll("\r\n", "\n")) as [string, string]
  if (old === now) return "[only line endings changed]"
  const patch =
    old.length + now.length > LARGEST
      ? undefined
      : createTwoFilesPatch(path, path, old, now, undefined, undefined, {
          context: 3,
          timeout: TIMEOUT_MS,
          headerOptions: FILE_HEADERS_ONLY,
        })
  if (patch === undefined) return "[the difference is too large to be shown]"
  const lines = patch.trimEnd().split("\n")
  const shown = lines
    .slice(0, LINES)
    .map((line) => (line.length > LINE ? `${firstCodePoints(line, LINE)}…` : line))
  return [
    ...shown,
    ...(lines.length > LINES ? [`[… ${lines.length - LINES} more lines of the difference …]`] : []),
  ].join("\n")
}
