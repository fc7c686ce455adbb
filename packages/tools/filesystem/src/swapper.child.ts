// The process that the race test races: it replaces what is in the sandbox by links to the outside and back, for ever.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { say } from "@orra/testing/process"

const [root = "", outside = ""] = process.argv.slice(2)
const spare = join(root, "..", "spare")
mkdirSync(spare, { recursive: true })

/** Each way to have something else in a place, and the way back. Renames leave no moment without either. */
const swaps: readonly (() => void)[] = [
  // A folder becomes a link to the outside.
  () => swapped("a", () => symlinkSync(outside, join(spare, "link"))),
  // A folder further down.
  () => swapped("b/c", () => symlinkSync(outside, join(spare, "link"))),
  // A file becomes a link to one outside.
  () => swapped("a/canary.txt", () => symlinkSync(join(outside, "canary.txt"), join(spare, "link"))),
  // A file becomes a link that leads to nothing yet.
  () => swapped("new.txt", () => symlinkSync(join(outside, "new.txt"), join(spare, "link"))),
  // A link to the inside becomes one to the outside.
  () => {
    symlinkSync(outside, join(spare, "link"))
    renameSync(join(spare, "link"), join(root, "inside"))
    symlinkSync("b", join(spare, "link"))
    renameSync(join(spare, "link"), join(root, "inside"))
  },
  // A folder is moved out of the sandbox, and back.
  () => {
    renameSync(join(root, "b"), join(spare, "moved"))
    renameSync(join(spare, "moved"), join(root, "b"))
  },
]

function swapped(path: string, link: () => void): void {
  const [there, kept] = [join(root, path), join(spare, "kept")]
  link()
  renameSync(there, kept)
  renameSync(join(spare, "link"), there)
  rmSync(there)
  renameSync(kept, there)
}

await say("ready")
for (let round = 0; ; round++) {
  try {
    swaps[round % swaps.length]?.()
  } catch {
    // The tools were quicker: what is missing is put back.
    restore()
  }
}

function restore(): void {
  rmSync(spare, { recursive: true, force: true })
  mkdirSync(spare, { recursive: true })
  for (const path of ["a", "b", "b/c"]) attempt(() => rmSync(join(root, path)))
  for (const path of ["a", "b/c"]) attempt(() => mkdirSync(join(root, path), { recursive: true }))
  for (const path of ["a/canary.txt", "b/c/canary.txt", "new.txt"]) {
    attempt(() => rmSync(join(root, path)))
    attempt(() => writeFileSync(join(root, path), "harmless\n"))
  }
  attempt(() => readFileSync(join(root, "inside/canary.txt")))
  attempt(() => linkSync(join(root, "new.txt"), join(root, "other.txt")))
}

function attempt(work: () => void): void {
  try {
    work()
  } catch {
    // It is as it should be.
  }
}
