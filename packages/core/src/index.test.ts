import { expect, test } from "vitest"
import manifest from "../package.json" with { type: "json" }
import * as core from "./index.ts"

// That no export needs a Node built-in is checked on the built package by scripts/check-size.ts.
test("the package has no runtime dependency of any kind", () => {
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "bundledDependencies"]) {
    expect(manifest).not.toHaveProperty(kind)
  }
})

test("what an application needs to begin is exported", () => {
  for (const name of ["Namespace", "Runtime", "tool", "MemoryStore", "PolicyRegistry", "OrraError"]) {
    expect(core).toHaveProperty(name)
  }
})
