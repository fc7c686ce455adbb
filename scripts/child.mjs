// Promises: a child process ends with us. SIGINT, SIGTERM and SIGHUP reach it, its exit code comes back, and
// when npm dies without passing the signal on, the child is told to stop all the same.

import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import process from "node:process"

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"]

/**
 * Runs a command to its end. With `capture` its output is returned instead of shown.
 * `code` is the exit code, or 128 + the number of the signal that ended it, as shells count.
 */
export function child(command, args, { capture = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = capture ? ["ignore", "pipe", "pipe"] : "inherit"
    const started = spawn(command, args, { stdio, ...options })
    const release = follow(started)
    const output = []
    started.stdout?.on("data", (chunk) => output.push(chunk))
    started.stderr?.on("data", (chunk) => output.push(chunk))
    started.once("error", (error) => {
      release()
      reject(error)
    })
    started.once("close", (code, signal) => {
      release()
      resolve({ code: code ?? 128 + signalNumber(signal), output: Buffer.concat(output).toString() })
    })
  })
}

/** Ties the child to our signals and to the npm that started us; the returned function unties it. */
function follow(started) {
  const handlers = passedOn.map((signal) => {
    // Ctrl-C in a terminal already reaches the whole group: passing it on would count as a second one.
    const handler = () => (signal === "SIGINT" && process.stdin.isTTY) || started.kill(signal)
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  const npm = process.env.npm_lifecycle_event === undefined ? undefined : npmProcess()
  const watch = setInterval(() => {
    if (npm !== undefined && !isAlive(npm)) started.kill("SIGTERM")
  }, 500)
  return () => {
    clearInterval(watch)
    for (const remove of handlers) remove()
  }
}

/** The npm that runs us: our parent, or the one above when npm's shell stays in between. */
function npmProcess() {
  try {
    const shell = readFileSync(`/proc/${process.ppid}/stat`, "utf8")
    const [, name, above] = /\((.*)\) \S (\d+)/.exec(shell) ?? []
    return /^(npm|node|pnpm)/.test(name) ? process.ppid : Number(above)
  } catch {
    return process.ppid
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0
}
