import fc from "fast-check"
import { expect, test } from "vitest"
import { eventBatches } from "./sse.ts"
import { watchdog } from "./watchdog.ts"

/** The data of all events of a body that arrives in these pieces. */
async function read(pieces: readonly Uint8Array[]): Promise<readonly string[]> {
  using watch = watchdog(60_000)
  const data: string[] = []
  const body = (async function* () {
    yield* pieces
  })()
  for await (const batch of eventBatches(body, watch)) data.push(...batch.map((event) => event.data))
  return data
}

const bytes = (text: string) => new TextEncoder().encode(text)

test("however a body is cut, its events are the same", async () => {
  const line = fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text))
  const body = fc.record({
    data: fc.array(line, { maxLength: 6 }),
    newline: fc.constantFrom("\n", "\r\n"),
    cuts: fc.array(fc.nat(400), { maxLength: 20 }),
  })
  await fc.assert(
    fc.asyncProperty(body, async ({ data, newline, cuts }) => {
      const all = bytes(data.map((text) => `: ping${newline}data: ${text}${newline}${newline}`).join(""))
      const edges = [0, ...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length]
      const pieces = edges.slice(1).map((end, index) => all.subarray(edges[index], end))
      expect(await read(pieces)).toEqual(data)
    }),
  )
})

test("events of one chunk come together", async () => {
  using watch = watchdog(60_000)
  const body = (async function* () {
    yield bytes("data: 1\n\ndata: 2\n\ndata: 3")
    yield bytes("\n\n")
  })()
  const batches: string[][] = []
  for await (const batch of eventBatches(body, watch)) batches.push(batch.map((event) => event.data))
  expect(batches).toEqual([["1", "2"], ["3"]])
})

test("an event that never ends is not collected for ever", async () => {
  const megabyte = bytes("x".repeat(1_048_576))
  await expect(read([bytes("data: "), ...Array<Uint8Array>(40).fill(megabyte)])).rejects.toThrow()
})
