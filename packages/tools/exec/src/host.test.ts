import { readlinkSync } from "node:fs"
import { startChild } from "@orra/testing/process"
import { expect, test } from "vitest"
import { longTime, processesWith, temporaryDirectory, until } from "./fixture.ts"

const host = (text: string) =>
  startChild(new URL("./host.child.ts", import.meta.url), [temporaryDirectory(), text], () => {})

test("what runs when its host exits ends with it", async () => {
  const time = longTime()
  const child = host(`trap "" TERM HUP; setsid sleep ${time} & sleep ${time}`)
  await until(() => processesWith(time).length === 2)
  child.tell("exit")
  await child.ended
  expect(processesWith(time)).toEqual([])
})

test("a program ends with its host even when that is killed and cannot do anything about it", async () => {
  const time = longTime()
  const child = host(`exec sleep ${time}`)
  await until(() => processesWith(time).length === 1)
  const [pid] = processesWith(time)
  expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe("/dev/null")
  child.kill("SIGKILL")
  await child.ended
  await until(() => processesWith(time).length === 0)
})
