import { spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { startChild } from "@orra/testing/process"
import { expect, onTestFinished, test } from "vitest"
import { longTime, processesWith, temporaryDirectory, until } from "./fixture.ts"

const CHILD = new URL("./host.child.ts", import.meta.url)

const host = (text: string) => startChild(CHILD, [temporaryDirectory(), text], () => {})

/** The directory that was made for a command. */
function homeOf(pid: number | undefined): string {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0")
  return environment.find((line) => line.startsWith("HOME="))?.slice(5) ?? ""
}

test("what runs when its host exits ends with it", async () => {
  const time = longTime()
  const child = host(`trap "" TERM HUP; setsid sleep ${time} & sleep ${time}`)
  await until(() => processesWith(time).length === 2)
  const home = homeOf(processesWith(time)[0])
  expect(existsSync(home)).toBe(true)
  child.tell("exit")
  await child.ended
  expect(processesWith(time)).toEqual([])
  expect(existsSync(home)).toBe(false)
})

test("a program ends with its host even when that is killed and cannot do anything about it", async () => {
  const time = longTime()
  const child = host(`exec sleep ${time}`)
  await until(() => processesWith(time).length === 1)
  const [pid] = processesWith(time)
  expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe("/dev/null")
  const home = homeOf(pid)
  onTestFinished(() => rmSync(home, { recursive: true }))
  child.kill("SIGKILL")
  await child.ended
  await until(() => processesWith(time).length === 0)
})

test("no file that the host was given reaches a program", async () => {
  const directory = temporaryDirectory()
  const file = openSync(join(directory, "secret"), "w+")
  const child = spawn(
    process.execPath,
    [
      ...["--conditions=@orra/source", "--no-warnings", fileURLToPath(CHILD), directory],
      "for fd in $(ls /proc/$$/fd); do readlink /proc/$$/fd/$fd; done > open; readlink /proc/$$/fd/40 > made; mv made forty",
    ],
    // Node closes the first few of its own accord.
    { stdio: ["pipe", "ignore", "inherit", file, ...Array(36).fill("ignore"), file] },
  )
  const ended = once(child, "exit")
  await until(() => existsSync(join(directory, "forty")))
  child.stdin?.end('"exit"\n')
  await ended
  closeSync(file)
  expect(readFileSync(join(directory, "open"), "utf8")).not.toContain("secret")
  expect(readFileSync(join(directory, "forty"), "utf8")).toBe("/dev/null\n")
})
