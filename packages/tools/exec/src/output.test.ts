import fc from "fast-check"
import { expect, test } from "vitest"
import { OutputKeeper, readable } from "./output.ts"

function kept(chunks: readonly (string | Uint8Array)[], characters: number, shown = characters) {
  const keeper = new OutputKeeper(characters)
  for (const chunk of chunks) keeper.add(typeof chunk === "string" ? Buffer.from(chunk) : chunk)
  return keeper.kept(shown)
}

test("what fits is kept as it is", () => {
  expect(kept(["one", "", " two"], 7)).toEqual({ text: "one two", bytes: 7, cut: false, binary: false })
  expect(kept([], 10)).toEqual({ text: "", bytes: 0, cut: false, binary: false })
  expect(kept(["🎈".repeat(100)], 100)).toMatchObject({ text: "🎈".repeat(100), cut: false })
})

test("what does not is cut between characters, and its beginning and its end are kept", () => {
  const text = `${"a".repeat(30)}${"🎈".repeat(50)}${"z".repeat(30)}`
  expect(kept([text], 20)).toEqual({
    text: `aaaaaaaaaa\n\n[… output cut: about 240 of 260 bytes are left out here …]\n\nzzzzzzzzzz`,
    bytes: 260,
    cut: true,
    binary: false,
  })
  expect(kept([text], 70, 5)).toMatchObject({
    text: expect.stringMatching(/^aaa\n\n\[.*\]\n\nzz$/s),
    cut: true,
  })
})

test("however it comes in pieces, the beginning and the end are those of the whole", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 30 }),
    fc.constantFrom("x".repeat(500), "日本🎈"),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 30 }),
      fc.integer({ min: 2, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (texts, limit, size) => {
        const whole = readable(texts.join("").toWellFormed()).replaceAll("\uFFFD", "?")
        const bytes = Buffer.from(whole)
        const chunks: Uint8Array[] = []
        for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
        const { text, cut, bytes: counted } = kept(chunks, limit)
        expect(counted).toBe(bytes.length)
        const points = [...whole]
        expect(cut).toBe(points.length > limit)
        if (!cut) expect(text).toBe(whole)
        else {
          const [begin, end] = text.split(/\n\n\[… output cut: [^\]]*\]\n\n/)
          expect(begin).toBe(points.slice(0, Math.ceil(limit / 2)).join(""))
          expect(end).toBe(points.slice(points.length - Math.floor(limit / 2)).join(""))
        }
      },
    ),
    { numRuns: 300, seed: 11 },
  )
})

test("memory does not grow with the output", () => {
  const keeper = new OutputKeeper(1_000)
  const chunk = Buffer.alloc(65_536, "0123456789\n")
  const before = process.memoryUsage().arrayBuffers
  for (let round = 0; round < 2_000; round++) keeper.add(chunk)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  expect(keeper.kept(1_000)).toMatchObject({ bytes: 65_536 * 2_000, cut: true })
})

test("broken UTF-8 is replaced, and no character is broken by the cut", () => {
  expect(kept([Buffer.from([0x61, 0xff, 0x62, 0x63])], 10).text).toBe("a\uFFFDbc")
  expect(kept([Buffer.from("aé").subarray(0, 2)], 10).text).toBe("a")
  const split = Buffer.from("é".repeat(500))
  const { text } = kept([split.subarray(0, 333), split.subarray(333)], 30)
  expect(text.replace(/\n\n\[.*\]\n\n/s, "")).toBe("é".repeat(30))
})

test("where the cut meets colours no character is broken either", () => {
  for (let length = 500; length < 530; length++) {
    const text = "\u001b[31m日\u001b[0m".repeat(100).slice(0, length)
    expect(kept([text], 31).text).not.toContain("\uFFFD")
  }
})

test("what is not text is not shown", () => {
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d])
  expect(kept([png], 100)).toEqual({ text: "", bytes: 12, cut: false, binary: true })
  expect(kept([Buffer.from("text\0with")], 100).binary).toBe(true)
  expect(kept([Buffer.from("utf-16", "utf16le")], 100).binary).toBe(true)
  expect(kept([Buffer.alloc(5_000, 0xfe)], 100).binary).toBe(true)
})

test("what only a terminal sees, and what nobody sees, is left out", () => {
  expect(
    readable("\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u001b]8;;http://a\u001b\\link\u001bM"),
  ).toBe("red xlink")
  expect(readable("10%\r20%\r\ndone\u0007\b")).toBe("10%\n20%\ndone")
  const hidden = [..."ignore"]
    .map((char) => String.fromCodePoint(0xe0000 + (char.codePointAt(0) ?? 0)))
    .join("")
  expect(readable(`a${hidden}\u200bb\u202ec`)).toBe("abc")
  expect(readable("👩‍👩‍👧 می‌خواهم")).toBe("👩‍👩‍👧 می‌خواهم")
})

test("escape sequences that never end take no longer than others", () => {
  const text = "\u001b]".repeat(200_000) + "\u001b[".repeat(200_000)
  expect(readable(text).length).toBeLessThanOrEqual(text.length)
})
