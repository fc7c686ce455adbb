import { type ChildProcess, spawn } from "node:child_process"
import { constants, readdirSync, readFileSync } from "node:fs"
import { open, readlink } from "node:fs/promises"
import { ExecError } from "./errors.ts"

/** A program that runs. */
export interface Started {
  readonly child: ChildProcess
  readonly pid: number
  /** It has ended. */
  readonly exited: Promise<void>
  /** And nobody has its output open any more. */
  readonly closed: Promise<void>
  /** What was written to {@link REPORT_FD} so far. */
  report(): string
}

/** Where a program that confines another one says what it has started. */
export const REPORT_FD = 3

/** What a program is told, and where what it says goes. */
export interface Talk {
  readonly input: string | undefined
  hear(stream: "stdout" | "stderr", chunk: Uint8Array): void
  /** It has {@link REPORT_FD} to write to. */
  readonly reports: boolean
}

/**
 * Starts a program in a session of its own, without a shell, with no file of this process, and with `input` or none.
 *
 * @throws ExecError (`spawn_failed`, `directory_refused`).
 */
export async function start(
  [program = "", ...args]: readonly string[],
  directory: string,
  env: Readonly<Record<string, string>>,
  { input, hear, reports }: Talk,
): Promise<Started> {
  const place = await openDirectory(directory)
  const nothing = await open("/dev/null", "r+")
  try {
    const child = spawn(program, args, {
      cwd: place.path,
      env,
      // A session of its own: no terminal, and a group that can be ended as one.
      detached: true,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...standIns(nothing.fd, reports)],
      shell: false,
      windowsHide: true,
    })
    // Heard from the first moment: it may be over before the next one, and what nobody hears is thrown away.
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.on("data", (chunk: Uint8Array) => hear(name, chunk))
      // A pipe that breaks has said what it had to say.
      child[name]?.on("error", () => {})
    }
    const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
    let report = ""
    child.stdio[REPORT_FD]?.on("data", (chunk: Uint8Array) => {
      report += Buffer.from(chunk).toString("latin1")
    })
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve)
      child.once("error", reject)
    })
    child.on("error", () => {})
    // It may end without having read it.
    child.stdin?.on("error", () => {}).end(input)
    return { child, pid: child.pid as number, exited, closed, report: () => report }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown"
    const why = code === "E2BIG" ? "its arguments are too long" : `the system says ${code}`
    throw new ExecError("spawn_failed", `The program could not be started: ${why}.`, { code }, error)
  } finally {
    await Promise.all([place.close(), nothing.close()])
  }
}

/**
 * What the program finds where this process has files that whoever started it has left open for all its children:
 * `nothing`, in their places. Node's own files never reach a child.
 */
function standIns(nothing: number, reports: boolean): readonly (number | "ignore" | "pipe")[] {
  const taken = inheritable()
  const length = Math.max(reports ? REPORT_FD : 2, ...taken) - 2
  return Array.from({ length }, (_, index) => {
    if (reports && index + 3 === REPORT_FD) return "pipe"
    return taken.includes(index + 3) ? nothing : "ignore"
  })
}

/** The numbers of open files that a child would get, from 3 on. */
function inheritable(): readonly number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .filter((fd) => fd > 2 && fd < MAX_FILES && isLeftOpen(fd))
  } catch {
    return []
  }
}

/** More than a process may have open by default. */
const MAX_FILES = 4_096

const CLOSE_ON_EXEC = 0o2000000

function isLeftOpen(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0
  } catch {
    return false
  }
}

/** The directory itself, so that nobody puts another one in its place before the program is in it. */
async function openDirectory(path: string): Promise<{ readonly path: string; close(): Promise<void> }> {
  if (process.platform !== "linux") return { path, close: async () => {} }
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
    () => undefined,
  )
  const link = `/proc/self/fd/${handle?.fd}`
  if (handle && (await readlink(link).catch(() => undefined)) === path) {
    return { path: link, close: () => handle.close() }
  }
  await handle?.close()
  throw new ExecError("directory_refused", "The working directory is not there any more: call again.")
}
