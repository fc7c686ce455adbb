#!/usr/bin/env node
// `npx @orra/plan-engine`: the engine as a program, with its page. That is a package of its own, @orra/plan-server, so that whoever
// uses the library does not install it: what is not there is brought by npm, in the same version.

import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { constants } from "node:os"
import process from "node:process"

const program = "@orra/plan-server"

if (isInstalled()) await import(program)
else bring()

function isInstalled() {
  try {
    import.meta.resolve(program)
    return true
  } catch {
    return false
  }
}

function bring() {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
  const args = ["exec", "--yes", "--", `${program}@${version}`, ...process.argv.slice(2)]
  const child = spawn("npm", args, { stdio: "inherit", shell: process.platform === "win32" })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", () => {
    console.error(`plan-engine: npm was not found; install ${program} beside @orra/plan-engine.`)
    process.exitCode = 1
  })
  child.on("close", (code, signal) => {
    process.exitCode ??= code ?? 128 + (constants.signals[signal] ?? 0)
  })
}
