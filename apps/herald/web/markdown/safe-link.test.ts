import { expect, test } from "vitest"
import { safeHref } from "./safe-link.ts"

test.each([
  ["https://example.org/a?b=c#d", "https://example.org/a?b=c#d"],
  ["mailto:a@example.org", "mailto:a@example.org"],
  ["javascript:alert(1)", undefined],
  ["JaVaScRiPt:alert(1)", undefined],
  [" java\nscript:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["vbscript:x", undefined],
  ["file:///etc/passwd", undefined],
  ["blob:https://example.org/1", undefined],
  ["//example.org", undefined],
  ["/api/logout", undefined],
  ["", undefined],
])("%j", (href, expected) => {
  expect(safeHref(href)).toBe(expected)
})
