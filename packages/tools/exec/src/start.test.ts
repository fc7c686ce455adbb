import { existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { NODE, temporaryDirectory } from "./fixture.ts"
import { start } from "./start.ts"

const talk = { input: undefined, hear() {}, reports: false }

test("a program starts in the directory that was meant, or not at all", async () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, "a", "b"), { recursive: true })
  const place = join(directory, "a", "b")
  const write = [NODE, "-e", 'require("node:fs").writeFileSync("here", "")']
  const { child, exited } = await start(write, place, {}, talk)
  await exited
  expect(child.exitCode).toBe(0)
  expect(existsSync(join(place, "here"))).toBe(true)
  // Somebody has put a link in the place of a directory on the way.
  renameSync(join(directory, "a"), join(directory, "old"))
  symlinkSync(join(directory, "old"), join(directory, "a"))
  for (const wrong of [place, join(directory, "a"), join(directory, "none"), join(place, "here")])
    await expect(start(write, wrong, {}, talk)).rejects.toMatchObject({ code: "directory_refused" })
})

test("a program that the system cannot start says why", async () => {
  const directory = temporaryDirectory()
  for (const [argv, why] of [
    [["/none"], "ENOENT"],
    [[directory], "EACCES"],
    [["/bin/echo", "x".repeat(3_000_000)], "its arguments are too long"],
  ] as const) {
    const starting = start(argv, directory, {}, talk)
    await expect(starting).rejects.toMatchObject({
      code: "spawn_failed",
      message: expect.stringContaining(why),
    })
  }
})

test("everything it says is heard, also of one that is over at once", async () => {
  const directory = temporaryDirectory()
  const heard: string[] = []
  const hear = (stream: string, chunk: Uint8Array) => heard.push(`${stream} ${Buffer.from(chunk)}`)
  const said = Array.from({ length: 20 }, async (_, index) => {
    const { closed } = await start(["/bin/echo", String(index)], directory, {}, { ...talk, hear })
    await closed
  })
  await Promise.all(said)
  expect(heard.sort()).toEqual(Array.from({ length: 20 }, (_, index) => `stdout ${index}\n`).sort())
})
