import { expect, test } from "vitest"
import { contentType, decodeText, kindOfBytes, kindOfType } from "./content.ts"

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
  )

test.each([
  [undefined, "", undefined],
  ["text/html", "text/html", undefined],
  ['Text/HTML ; Charset="ISO-8859-1"; x=y', "text/html", "ISO-8859-1"],
  ["text/plain;charset=utf-8", "text/plain", "utf-8"],
  [";;;=;charset=", "", undefined],
])("takes %j apart", (header, type, charset) => {
  expect(contentType(header)).toEqual({ type, charset })
})

test.each([
  ["text/html", "html"],
  ["application/xhtml+xml", "html"],
  ["text/markdown", "text"],
  ["application/json", "text"],
  ["application/atom+xml", "text"],
  ["image/svg+xml", "text"],
  ["application/pdf", "binary"],
  ["image/jpeg", "binary"],
  ["", undefined],
])("%s is %s", (type, kind) => {
  expect(kindOfType(type)).toBe(kind)
})

test.each([
  ["  <!-- x --><!DOCTYPE html>", "html"],
  ["<html>", "html"],
  ["<p>x", "html"],
  ["words, <b>and</b>", "text"],
  ["{}", "text"],
  ["", "text"],
  ["\u0000\u0001\u0002", "binary"],
  ["%PDF-1.7\n\u0000", "binary"],
])("%j looks like %s", (start, kind) => {
  expect(kindOfBytes(Buffer.from(start))).toBe(kind)
})

test("reads the charset from the mark, the header, or the page", () => {
  const html = { kind: "html", complete: true } as const
  expect(decodeText(bytes("gr\xfc\xdfe"), { ...html, charset: "iso-8859-1" })).toBe("grüße")
  expect(decodeText(bytes("<meta charset=windows-1251>\xcf"), { ...html, charset: undefined })).toContain("П")
  expect(
    decodeText(bytes("<meta http-equiv=content-type content='text/html; charset=Shift_JIS'>\x83\x41"), {
      ...html,
      charset: undefined,
    }),
  ).toContain("ア")
  expect(decodeText(bytes([0xef, 0xbb, 0xbf], "a"), { ...html, charset: "utf-16" })).toBe("a")
  expect(decodeText(bytes([0xff, 0xfe, 0x41, 0x00]), { ...html, charset: "utf-8" })).toBe("A")
  expect(decodeText(bytes("<meta charset=utf-16>\xc3\xbc"), { ...html, charset: undefined })).toContain("ü")
  expect(decodeText(bytes("<!--<meta charset=x-nonsense>-->a"), { ...html, charset: undefined })).toContain(
    "a",
  )
  expect(
    decodeText(bytes("<meta charset=x>"), { kind: "text", charset: undefined, complete: true }),
  ).toContain("x")
})

test("without a charset it is UTF-8, or else windows-1252", () => {
  const text = { kind: "text", charset: undefined, complete: true } as const
  expect(decodeText(Buffer.from("grüße 🎈"), text)).toBe("grüße 🎈")
  expect(decodeText(bytes("gr\xfc\xdfe \x80"), text)).toBe("grüße €")
  // Cut in the middle of a character.
  expect(decodeText(Buffer.from("grüße 🎈").subarray(0, -1), { ...text, complete: false })).toBe("grüße ")
})

test.each(["utf-7", "x-nonsense", "replacement", "\u0000", "x".repeat(500)])(
  "does not guess %j",
  (charset) => {
    expect(() => decodeText(bytes("a"), { kind: "html", charset, complete: true })).toThrow(
      expect.objectContaining({ code: "content_invalid", message: expect.stringContaining("charset") }),
    )
  },
)
