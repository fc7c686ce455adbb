import type { MatrixRow } from "./matrix.ts"

/** The matrix for people: points next to one another that come to the same are one line. */
export function matrixTable(rows: readonly MatrixRow[]): string {
  const lines: { from: number; to: number; first: string; last: string; left: string }[] = []
  for (const { point, outcome, calls, problem } of rows) {
    const at = `${point.when} ${point.call}`
    const said = calls.map(({ call, status, executions }) => `${call}: ${status}, ran ${executions}x`)
    const left = [outcome, ...said, ...(problem === undefined ? [] : [`PROBLEM: ${problem}`])].join("; ")
    const line = lines.at(-1)
    if (line?.left === left) Object.assign(line, { to: point.number, last: at })
    else lines.push({ from: point.number, to: point.number, first: at, last: at, left })
  }
  const cells = lines.map(({ from, to, first, last, left }) =>
    from === to ? [`${from}`, first, left] : [`${from} to ${to}`, `${first} … ${last}`, left],
  )
  const head = [
    ["killed at", "which is", "found by the next process"],
    ["---", "---", "---"],
  ]
  return [...head, ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n")
}
