import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openLog } from "./log.ts"
import { rotatingFile } from "./rotating-file.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-log-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

function open(level: "info" | "debug", isTTY: boolean) {
  const lines: string[] = []
  const log = openLog({ level, dataDir: folder, terminal: { write: (text) => lines.push(text), isTTY } })
  return { log, lines, file: () => readFileSync(join(folder, "logs", "herald.log"), "utf8") }
}

test("D2: writes what is as grave as was set, one readable line to a terminal, JSON to a pipe and to the file", () => {
  const terminal = open("info", true)
  terminal.log.logger.info({ port: 80 }, "listening")
  terminal.log.logger.debug("quiet")
  terminal.log.close()
  expect(terminal.lines.join("")).toMatch(/^\d\d:\d\d:\d\d info {2}listening port=80\n$/)
  expect(JSON.parse(terminal.file())).toMatchObject({ level: "info", msg: "listening", port: 80 })
  const pipe = open("debug", false)
  pipe.log.logger.debug("louder")
  pipe.log.close()
  expect(JSON.parse(pipe.lines.join(""))).toMatchObject({ level: "debug", msg: "louder" })
})

test("shows no secret, by name or by value", () => {
  const { log, lines, file } = open("info", true)
  log.hide('sk-ant-"quoted"')
  log.logger.error(
    {
      apiKey: "by-name",
      headers: { authorization: "Bearer by-name" },
      err: new Error('refused sk-ant-"quoted"'),
    },
    'key sk-ant-"quoted"',
  )
  log.close()
  expect(lines.join("") + file()).not.toMatch(/by-name|sk-ant/)
  expect(file()).toContain("[hidden]")
})

test("rotates, keeps three, and never splits a line", () => {
  const path = join(folder, "x.log")
  const file = rotatingFile({ path, maxBytes: 100, keep: 3 })
  for (let n = 0; n < 60; n++) file.write(`line ${String(n).padStart(4, "0")} é\n`)
  file.close()
  expect(readdirSync(folder).sort()).toEqual(["x.log", "x.log.1", "x.log.2", "x.log.3"])
  expect(readFileSync(path, "utf8")).toMatch(/line 0059 é\n$/)
  for (const name of readdirSync(folder)) {
    expect(readFileSync(join(folder, name), "utf8")).toMatch(/^(line \d{4} é\n){1,8}$/)
  }
})

test("goes on without its file, and says so", () => {
  writeFileSync(join(folder, "logs"), "in the way")
  const { log, lines } = open("info", true)
  log.logger.info("still here")
  log.close()
  expect(lines.join("")).toMatch(/cannot be written to .*\n.* still here\n$/)
})

test("goes on when it cannot write", () => {
  const file = rotatingFile({ path: join(folder, "sub", "x.log"), maxBytes: 10 })
  rmSync(join(folder, "sub"), { recursive: true })
  for (let n = 0; n < 5; n++) file.write("0123456789\n")
  file.close()
})
