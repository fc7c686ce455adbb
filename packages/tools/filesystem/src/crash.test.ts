import { readdirSync, readFileSync, utimesSync } from "node:fs"
import { join } from "node:path"
import { killedAfter } from "@orra/testing/process"
import { expect, onTestFinished, test } from "vitest"
import { isTemporary } from "./atomic-write.ts"
import { fixture } from "./fixture.ts"

test("a process that is killed in the middle leaves the old file or the new one, and nothing that stays", async () => {
  const files = fixture()
  onTestFinished(files.remove)
  for (const count of [1, 4]) {
    const written = await killedAfter<string>(
      new URL("./writer.child.ts", import.meta.url),
      [files.root],
      count,
    )
    const text = readFileSync(join(files.root, "file.txt"), "utf8")
    expect(text).toHaveLength(300_000)
    expect(new Set(text).size).toBe(1)
    // What was acknowledged is there, or what came after it.
    const last = written.at(-1)?.charCodeAt(0) ?? 0
    expect([last, last + 1]).toContain(text.charCodeAt(0))
  }
  for (const name of readdirSync(files.root).filter(isTemporary)) utimesSync(join(files.root, name), 0, 0)
  expect(await files.call("list_dir", {})).toBe("[. | 1 entry]\nfile.txt (293.0KB)")
  await files.call("write_file", { path: "other.txt", content: "" })
  expect(readdirSync(files.root).sort()).toEqual(["file.txt", "other.txt"])
})
