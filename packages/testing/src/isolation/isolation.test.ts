import { MemoryStore, Runtime } from "@orra/core"
import { expect, test } from "vitest"
import { isolationConformance } from "./isolation-conformance.ts"
import { operations } from "./operations.ts"

isolationConformance("MemoryStore", ({ now }) => new MemoryStore({ now }))

test("every method of a runtime is among the operations of the suite", () => {
  const methods = Object.getOwnPropertyNames(Runtime.prototype).filter(
    (name) => name !== "constructor" && name !== "close",
  )
  expect(Object.keys(operations)).toEqual(expect.arrayContaining(methods))
})
