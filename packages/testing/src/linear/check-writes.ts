import type { Check } from "./check.ts"

/** One writer at a time: each number was written once, tokens only grow, and what was acknowledged is there. */
export const writesProblem: Check = ({ info, entries }, { writes }) => {
  const known = new Map(entries.map(({ seq, type }) => [seq, type]))
  const writers = new Map<number, string>()
  for (const { write, expected, entries: types, to } of writes) {
    if (to === undefined) continue
    for (const [index, type] of types.entries()) {
      const seq = expected + index + 1
      const other = writers.get(seq)
      if (other !== undefined) return `${other} and ${write} have both written entry ${seq}.`
      writers.set(seq, write)
      const found = known.get(seq)
      if (seq > (info?.version ?? 0) || (found === undefined && type !== "delta")) {
        return `Entry ${seq}, "${type}", was acknowledged to ${write} and is lost.`
      }
      if (found !== undefined && found !== type) {
        return `Entry ${seq} was acknowledged to ${write} as "${type}" and is "${found}".`
      }
    }
  }
  const acknowledged = writes
    .flatMap((write) => (write.to === undefined ? [] : [{ ...write, to: write.to }]))
    .sort((a, b) => a.expected - b.expected)
  let token = 0
  let latest = 0
  for (const write of acknowledged) {
    if ((write.token ?? token) < token) {
      return `${write.write} wrote entry ${write.expected + 1} under token ${write.token}, after one under token ${token}.`
    }
    token = write.token ?? token
    if (write.to < latest) {
      return `${write.write} had written entry ${write.expected + 1} before one with a lower number was begun.`
    }
    latest = Math.max(latest, write.from)
  }
  return undefined
}
