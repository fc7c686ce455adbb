import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { fileURLToPath } from "node:url"

export { freePort } from "./free-port.ts"

const COMPILED = join(tmpdir(), "node-compile-cache")

/** A module that runs as a process of its own. */
export interface Child {
  readonly pid: number
  /** Sends it a value, which it gets from `heard`. Lost when it is dead or dies before it reads. */
  tell(value: unknown): void
  kill(signal: NodeJS.Signals): void
  /** How it ended, when all it said has been heard. `complaint` is what it wrote to its error output. */
  readonly ended: Promise<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly complaint: string
  }>
}

/**
 * Starts a module in a process of its own and hears what it says with `say`, value by value. It may be one of TypeScript
 * sources in this workspace.
 *
 * ```ts
 * const child = startChild<number>(new URL("./counter.child.ts", import.meta.url), ["3"], (n) => console.log(n))
 * await child.ended
 * ```
 */
export function startChild<Said>(module: URL, args: readonly string[], hear: (value: Said) => void): Child {
  const child = spawn(
    process.execPath,
    ["--conditions=@orra/source", "--no-warnings", fileURLToPath(module), ...args],
    // Half of what starting takes is compiling, which need not be done each time.
    { stdio: ["pipe", "pipe", "pipe"], env: { NODE_COMPILE_CACHE: COMPILED, ...process.env } },
  )
  let complaint = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text
  })
  child.stdout.setEncoding("utf8").on("data", lines<Said>(hear))
  // It may be dead before it has read what it was told.
  child.stdin.on("error", () => {})
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, complaint }))
  return {
    pid: child.pid ?? 0,
    tell: (value) => void child.stdin.write(`${JSON.stringify(value)}\n`),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/**
 * Starts a module that says things for ever, and kills it (SIGKILL) when it has said so many.
 *
 * @returns all it said before it died, which may be a little more.
 * @throws Error with what it complained of when it ended by itself.
 */
export async function killedAfter<Said>(
  module: URL,
  args: readonly string[],
  count: number,
): Promise<readonly Said[]> {
  const said: Said[] = []
  const child = startChild<Said>(module, args, (value) => {
    said.push(value)
    if (said.length === count) child.kill("SIGKILL")
  })
  const { signal, complaint } = await child.ended
  if (signal !== "SIGKILL") throw new Error(`It was not killed, it ended by itself: ${complaint}`)
  return said
}

/**
 * In the child: says a value to its parent. When it resolves the value has left the process, whatever becomes of that;
 * what is buffered in a dead process was never said.
 */
export async function say(value: unknown): Promise<void> {
  const line = Buffer.from(`${JSON.stringify(value)}\n`)
  for (let at = 0; at < line.length; ) {
    try {
      at += writeSync(1, line, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
      // A full pipe takes it a little later. Where it has the beginning nobody else may come between.
      if (at === 0) await setImmediate()
    }
  }
}

/** In the child: what its parent tells it. Ends when the parent does. */
export async function* heard<Told>(): AsyncGenerator<Told, void> {
  const values: Told[] = []
  const parse = lines<Told>((value) => values.push(value))
  for await (const text of process.stdin.setEncoding("utf8")) {
    parse(text)
    yield* values.splice(0)
  }
}

/** Parses whole lines: one that was cut off by a kill says nothing. */
function lines<T>(hear: (value: T) => void): (text: string) => void {
  let rest = ""
  return (text) => {
    const [first = "", ...more] = text.split("\n")
    rest += first
    for (const line of more) {
      hear(JSON.parse(rest) as T)
      rest = line
    }
  }
}
