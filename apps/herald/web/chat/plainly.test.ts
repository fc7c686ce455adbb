import { expect, test } from "vitest"
import { plainly } from "./plainly.ts"

test("what nobody would see is a number; what people write stays", () => {
  expect(plainly("a\u202Eb\u200Bc\u0007d\u{E0041}e\u2028")).toBe(
    "a\\u202eb\\u200bc\\u0007d\\u{e0041}e\\u2028",
  )
  expect(plainly("Grüße, 京都 😀\n")).toBe("Grüße, 京都 😀\n")
})
