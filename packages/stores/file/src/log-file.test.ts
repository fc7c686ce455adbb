import { mkdtempSync, rmSync } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Entry, userMessage } from "@orra/core"
import fc from "fast-check"
import { afterAll, expect, test } from "vitest"
import {
  fromLine,
  type Line,
  linesBackward,
  linesForward,
  offsetOf,
  toLines,
  wholeLength,
} from "./log-file.ts"

const folder = mkdtempSync(join(tmpdir(), "orra-log-file-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

async function withFile<T>(
  content: string,
  work: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  const file = await open(join(folder, `${++files}`), "w+")
  try {
    await file.writeFile(content)
    return await work(file, Buffer.byteLength(content))
  } finally {
    await file.close()
  }
}

const entry = (seq: number, text = "x"): Entry => ({ seq, type: "user", at: 1, message: userMessage(text) })
const line = (seq: number, text?: string): Line => ({ entry: entry(seq, text) })

/** Lengths around the size in which a file is read, so that lines and characters fall on its borders. */
const texts = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.string({ unit: "grapheme" }) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 65_000, max: 66_000 }).map((length) => "ä".repeat(length / 2)),
    },
    { weight: 1, arbitrary: fc.constantFrom("\n", "\ud800", '"', "日".repeat(50_000)) },
  ),
  { maxLength: 12 },
)

test("what was written is read from both ends, and from any number on", async () => {
  await fc.assert(
    fc.asyncProperty(texts, fc.integer({ min: 2, max: 5 }), async (list, step) => {
      const lines = list.map((text, index) => line((index + 1) * step, text))
      await withFile(lines.map((item) => toLines([item])).join(""), async (file, size) => {
        const forward = await Array.fromAsync(linesForward(file, 0, size))
        expect(forward.map((text) => fromLine(text, ""))).toEqual(lines)
        expect((await Array.fromAsync(linesBackward(file, size))).toReversed()).toEqual(forward)
        for (let seq = 0; seq <= (list.length + 1) * step; seq++) {
          const offset = await offsetOf(file, seq, size)
          const rest = await Array.fromAsync(linesForward(file, offset, size))
          expect(rest).toEqual(forward.slice(Math.max(0, Math.ceil(seq / step) - 1)))
        }
      })
    }),
    { numRuns: 30 },
  )
})

test("wherever an append is cut, the ones before it are whole and it never happened", async () => {
  const first = toLines([line(1), line(2)])
  const second = toLines([line(3, "日本"), line(4), line(5)])
  const bytes = Buffer.from(first + second)
  const firstLength = Buffer.byteLength(first)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const path = join(folder, "cut")
    const file = await open(path, "w+")
    await file.write(bytes.subarray(0, cut))
    const expected = cut < firstLength ? 0 : cut < bytes.length ? firstLength : bytes.length
    expect(await wholeLength(file, cut)).toBe(expected)
    await file.close()
  }
})

test.each(["\0\0\0\n", '{"seq":3,"ty\n', "\n", "[1]\n"])("a last line %j was torn as well", async (torn) => {
  const good = toLines([line(1), line(2)])
  await withFile(good + torn, async (file, size) => {
    expect(await wholeLength(file, size)).toBe(Buffer.byteLength(good))
  })
  await withFile(
    `${toLines([line(1)]) + toLines([line(2), line(3)]).split("\n")[0]}\n${torn}`,
    async (file, size) => {
      expect(await wholeLength(file, size)).toBe(Buffer.byteLength(toLines([line(1)])))
    },
  )
})

test("a damaged line before the last is said, with the file and without its text", () => {
  expect(() => fromLine('{"seq":1,"type":"user","secret', "a/log.jsonl")).toThrow(
    expect.objectContaining({ code: "store_corrupt", message: expect.stringContaining("a/log.jsonl") }),
  )
  expect(() => fromLine('{"seq":1,"type":"user","secret', "a/log.jsonl")).toThrow(
    expect.not.objectContaining({ message: expect.stringContaining("secret") }),
  )
})
