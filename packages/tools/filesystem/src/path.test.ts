import { expect, test } from "vitest"
import { stepsTo } from "./path.ts"

const windows = (path: string, working: unknown = undefined) =>
  stepsTo(path, { configured: "C:\\Work", real: "C:\\Work", working }, "win32").steps

test("on Windows both slashes part names, and drives fold case", () => {
  expect(windows("a\\b/c")).toEqual(["a", "b", "c"])
  expect(windows("c:\\work\\a")).toEqual(["a"])
  expect(windows("a", "C:/Work/sub")).toEqual(["sub", "a"])
})

test.each([
  ["D:\\Work\\a", "path_outside"],
  ["\\Windows", "path_outside"],
  ["C:\\Workshop", "path_outside"],
  ["C:a", "path_invalid"],
  ["a.txt::$DATA", "path_invalid"],
  ["\\\\server\\share", "path_invalid"],
  ["//server/share", "path_invalid"],
  ["\\\\?\\C:\\Work\\a", "path_invalid"],
  ["\\\\.\\PhysicalDrive0", "path_invalid"],
  ["NUL", "path_invalid"],
  ["sub/con.txt", "path_invalid"],
  ["COM¹", "path_invalid"],
  [".git.", "path_invalid"],
  [".env ", "path_invalid"],
  ["a\u0001", "path_invalid"],
])("on Windows %j is refused", (path, code) => {
  expect(() => windows(path)).toThrow(expect.objectContaining({ code }))
})
