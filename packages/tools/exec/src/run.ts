import { randomUUID } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { MARK } from "./environment.ts"
import type { Running } from "./host.ts"
import { OutputKeeper } from "./output.ts"
import { isAlive, ProcessTree, processIds } from "./processes.ts"
import { progressWriter } from "./progress.ts"
import { start, type Talk } from "./start.ts"

/** What is run, and within what. Bytes and milliseconds. */
export interface Job {
  /** The whole command line, with what confines it. */
  readonly argv: readonly string[]
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** Its own file system hides the host's: `home` is a path there. */
  readonly isolatedHome: string | undefined
  /** The home directory it is to have. Default: an empty one, which is gone afterwards. */
  readonly home?: string | undefined
  /** What it can read from its input. Default: nothing. */
  readonly input?: string | undefined
  readonly timeoutMs: number
  readonly graceMs: number
  readonly maxOutputCharacters: number
  readonly maxOutputBytes: number
  readonly maxMemoryBytes: number
  readonly maxProcesses: number
  readonly signal: AbortSignal
  /** Those that run, so that none survives this process. */
  readonly running: Running
  progress(text: string): void
  /** Told of all it writes to its standard output, as it comes. */
  readonly onOutput?: ((chunk: Uint8Array) => void) | undefined
}

/** Why a command was ended before it ended by itself. */
export type EndedBy = "timeout" | "abort" | "output" | "memory" | "processes"

/** How it went. */
export interface Outcome {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly durationMs: number
  readonly endedBy: EndedBy | undefined
  /** Processes that it left behind, which were ended. */
  readonly leftBehind: number
  readonly stdout: OutputKeeper
  readonly stderr: OutputKeeper
}

/** How often a command's memory and processes are looked at. */
const WATCH_MS = 250

/** A wait that may have been in vain keeps no process alive. */
const UNHELD = { ref: false }

/** How long output is waited for after everybody who could write any is gone. */
const DRAIN_MS = 5_000

/**
 * Runs a program to its end, and everything it started with it: when this resolves, nothing of it is left that can be
 * found. No file of this process is open in it.
 *
 * @throws ExecError (`spawn_failed`, `directory_refused`) when it did not begin.
 */
export async function run(job: Job): Promise<Outcome> {
  const home = job.isolatedHome ?? job.home
  const scratch = home === undefined ? await mkdtemp(join(tmpdir(), "orra-exec-")) : undefined
  try {
    const tmp = job.isolatedHome ?? scratch ?? tmpdir()
    return await runAt(job, { HOME: home ?? tmp, TMPDIR: tmp }, scratch)
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true }).catch(() => {})
    job.running.delete(job)
  }
}

async function runAt(
  job: Job,
  places: Readonly<Record<"HOME" | "TMPDIR", string>>,
  scratch: string | undefined,
): Promise<Outcome> {
  const mark = randomUUID()
  const began = performance.now()
  const stdout = new OutputKeeper(job.maxOutputCharacters)
  const stderr = new OutputKeeper(job.maxOutputCharacters)
  const before = processIds()
  const env = { ...job.env, ...places, [MARK]: mark }
  const ended = new AbortController()
  let endedBy: EndedBy | undefined
  const end = (why: EndedBy): void => {
    if (endedBy) return
    endedBy = why
    ended.abort()
  }
  const abort = (): void => end("abort")
  const progress = progressWriter(job)
  const kept = { stdout, stderr }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const hear: Talk["hear"] = (stream, chunk) => {
    kept[stream].add(chunk)
    progress.add(decoders[stream].decode(chunk, { stream: true }))
    if (stream === "stdout") job.onOutput?.(chunk)
    if (stdout.bytes + stderr.bytes > job.maxOutputBytes) end("output")
  }
  const talk = { input: job.input, hear, reports: job.isolatedHome !== undefined }
  const { child, pid, exited, closed, report } = await start(job.argv, job.directory, env, talk)
  const tree = new ProcessTree(pid, mark, before)
  job.running.add(job, tree, scratch)
  const timer = setTimeout(() => end("timeout"), job.timeoutMs)
  const watch = setInterval(() => {
    const members = tree.members()
    const bytes = members.reduce((sum, member) => sum + member.bytes, 0)
    if (members.length > job.maxProcesses) end("processes")
    else if (bytes > job.maxMemoryBytes) end("memory")
  }, WATCH_MS)
  job.signal.addEventListener("abort", abort, { once: true })
  if (job.signal.aborted) abort()
  try {
    await Promise.race([exited, aborted(ended.signal)])
    // A bomb is given no time to grow.
    if (endedBy && endedBy !== "processes" && endedBy !== "memory") {
      tree.signal("SIGTERM", job.isolatedHome !== undefined)
      await Promise.race([exited, sleep(job.graceMs, undefined, UNHELD)])
    }
    const leftBehind = await endAll(tree, exited)
    await wallsDown(report())
    await Promise.race([closed, sleep(DRAIN_MS, undefined, UNHELD)])
    return {
      exitCode: child.exitCode,
      signal: child.signalCode,
      durationMs: Math.round(performance.now() - began),
      endedBy,
      // Behind walls they end with the first one, sooner or later.
      leftBehind: endedBy || job.isolatedHome !== undefined ? 0 : leftBehind,
      stdout,
      stderr,
    }
  } finally {
    clearTimeout(timer)
    clearInterval(watch)
    progress.end()
    job.signal.removeEventListener("abort", abort)
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
}

/** Ends whatever is left, and says how many were still there. */
async function endAll(tree: ProcessTree, exited: Promise<void>): Promise<number> {
  const left = tree.signal("SIGKILL")
  for (let round = 0, now = left; now > 0 && round < ROUNDS; round++) {
    await sleep(10)
    now = tree.signal("SIGKILL")
  }
  await exited
  return left
}

/** Those that are born while others die are few: more rounds than this are for what cannot be killed. */
const ROUNDS = 200

/**
 * bubblewrap ends before those who are behind its walls are dead. The first one of them, whose number it reports, is
 * gone when all are.
 */
async function wallsDown(report: string): Promise<void> {
  const first = Number(/"child-pid":\s*(\d+)/.exec(report)?.[1] ?? 0)
  for (let round = 0; first > 0 && round < ROUNDS && isAlive(first); round++) await sleep(10)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
