import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openDataDirectory } from "./directory.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-data-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

test.skipIf(process.platform === "win32")("is this user's alone", () => {
  const path = join(folder, "new", "data")
  openDataDirectory(path).release()
  expect(statSync(path).mode & 0o777).toBe(0o700)
  const open = join(folder, "open")
  mkdirSync(open)
  chmodSync(open, 0o755)
  openDataDirectory(open).release()
  expect(statSync(open).mode & 0o777).toBe(0o700)
})

test("is taken once, and free again when released", () => {
  const path = join(folder, "data")
  const first = openDataDirectory(path)
  expect(() => openDataDirectory(path)).toThrow(`Another Herald (process ${process.pid}) is using ${path}`)
  first.release()
  openDataDirectory(path).release()
})

test("is free again when its holder was killed", async () => {
  const path = join(folder, "data")
  const script = `
    const { openDataDirectory } = await import(${JSON.stringify(new URL("./directory.ts", import.meta.url).href)})
    globalThis.held = openDataDirectory(${JSON.stringify(path)}) // what nobody holds is collected, and its lock freed
    console.log("held")
    setInterval(() => undefined, 1000)`
  const child = spawn(
    process.execPath,
    ["--conditions=@orra/source", "--input-type=module", "--eval", script],
    { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] },
  )
  await once(child.stdout, "data")
  expect(() => openDataDirectory(path)).toThrow(`(process ${child.pid})`)
  child.kill("SIGKILL")
  await once(child, "exit")
  openDataDirectory(path).release()
})

test("says what is wrong with a directory that cannot be one", () => {
  const path = join(folder, "file")
  writeFileSync(path, "")
  expect(() => openDataDirectory(path)).toThrow("cannot be used")
  expect(() => openDataDirectory(join(path, "below"))).toThrow("choose another with --data-dir")
})
