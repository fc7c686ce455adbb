import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const MAIN = fileURLToPath(new URL("../../server/main.ts", import.meta.url))

/** The plan engine as a process, from its sources. */
export interface EngineProcess {
  readonly child: ChildProcess
  /** Where it listens; empty when it ended instead. */
  readonly url: string
  stdout(): string
  stderr(): string
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** Starts it, and waits until it listens or has ended. */
export async function engineProcess(options: {
  readonly args?: readonly string[]
  /** Where it is started, and its HOME. */
  readonly cwd: string
  /** Added to an environment that says nothing. */
  readonly env?: Readonly<Record<string, string>>
}): Promise<EngineProcess> {
  const { args = [], cwd, env } = options
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, ["--conditions=@orra/source", MAIN, ...args], {
    cwd,
    env: { PATH, NODE_COMPILE_CACHE, HOME: cwd, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  let [out, err] = ["", ""]
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text
  })
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const listens = new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
      if (ADDRESS.test(out)) resolve()
    })
  })
  await Promise.race([listens, ended])
  return {
    child,
    ended,
    url: ADDRESS.exec(out)?.[1] ?? "",
    stdout: () => out,
    stderr: () => err,
  }
}

const ADDRESS = /^Plan engine at (\S+)$/m
