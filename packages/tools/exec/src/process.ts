import { endingWithHost } from "./host.ts"
import type { Kept, OutputKeeper } from "./output.ts"
import { type EndedBy, run } from "./run.ts"

export { ExecError, type ExecErrorCode } from "./errors.ts"
export type { Place } from "./exec-tool.ts"
export type { Kept } from "./output.ts"
export { workingDirectory } from "./place.ts"
export type { EndedBy } from "./run.ts"

/** A program that an application runs itself, within limits. Times in milliseconds. */
export interface ProcessOptions {
  /** The program and its arguments. No shell reads them. */
  readonly argv: readonly [program: string, ...args: string[]]
  /** Where it works. By its real path. */
  readonly directory: string
  /** The whole environment, but for `HOME` and `TMPDIR`. */
  readonly env: Readonly<Record<string, string>>
  /** Its home directory. Default: an empty one, which is gone afterwards. */
  readonly home?: string
  /** What it can read from its standard input. Default: nothing. */
  readonly input?: string
  readonly timeoutMs: number
  /** Between SIGTERM and SIGKILL. Default 2,000. */
  readonly graceMs?: number
  /** Characters of its output that are kept. Default 32,000. */
  readonly maxOutputCharacters?: number
  /** When it writes more it is ended. Default 100,000,000. */
  readonly maxOutputBytes?: number
  /** Memory of it and of all it started; when they have more it is ended. Default 8 GiB. Linux only. */
  readonly maxMemoryBytes?: number
  /** How many it and all it started may be. Default 256. Linux only. */
  readonly maxProcesses?: number
  readonly signal: AbortSignal
  /** Told of all it writes to its standard output, as it comes. */
  readonly onOutput?: (chunk: Uint8Array) => void
}

/** How it ended. */
export interface ProcessOutcome {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly durationMs: number
  /** Why it was ended, if it did not end by itself. */
  readonly endedBy: EndedBy | undefined
  readonly stdout: Kept
  readonly stderr: Kept
}

const running = endingWithHost()

/**
 * Runs a program to its end, and everything it started with it: when this resolves, nothing of it is left that can be
 * found. For programs that the application chooses; what a model chooses goes through `execTool`.
 *
 * ```ts
 * const { exitCode } = await runProcess({ argv: ["/usr/bin/make"], directory, env: {}, timeoutMs: 60_000, signal })
 * ```
 *
 * @throws ExecError (`spawn_failed`, `directory_refused`) when it did not begin.
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessOutcome> {
  const { maxOutputCharacters = 32_000 } = options
  const { stdout, stderr, exitCode, signal, durationMs, endedBy } = await run({
    graceMs: 2_000,
    maxOutputBytes: 100_000_000,
    maxMemoryBytes: 8 * 2 ** 30,
    maxProcesses: 256,
    ...options,
    maxOutputCharacters,
    isolatedHome: undefined,
    running,
    progress: () => {},
  })
  const kept = (keeper: OutputKeeper): Kept => keeper.kept(maxOutputCharacters)
  return { exitCode, signal, durationMs, endedBy, stdout: kept(stdout), stderr: kept(stderr) }
}
