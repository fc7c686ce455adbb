import { expect, test } from "vitest"
import { readBody } from "./body.ts"

const MB = 1024 * 1024

const body = (text: string) =>
  readBody(
    new Request("http://localhost/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    }),
    8 * MB,
  )

test.each(["1,", "[],", '{"a":1},', '"x",', "[[["])(
  "a body of nothing but %s is refused before it is read",
  async (piece) => {
    const text = `{"message":[${piece.repeat((4 * MB) / piece.length)}1]}`
    await expect(body(text)).rejects.toThrow("at most 100000 values")
  },
)

test("what is in a string is no value, whatever it looks like", async () => {
  const texts = [
    "[{,".repeat(MB),
    '\\",['.repeat(MB / 4),
    "\\\\".repeat(MB / 2),
    '"'.repeat(MB),
    "ü😀,".repeat(MB / 8),
  ]
  for (const message of texts) expect(await body(JSON.stringify({ message }))).toEqual({ message })
})
