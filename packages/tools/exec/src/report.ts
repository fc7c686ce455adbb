import type { ToolOutput } from "@orra/core"
import type { Kept } from "./output.ts"
import type { EndedBy, Outcome } from "./run.ts"

/** The limits that a report names. */
interface Limits {
  readonly timeoutMs: number
  readonly maxOutputCharacters: number
  readonly maxOutputBytes: number
  readonly maxMemoryBytes: number
  readonly maxProcesses: number
}

/** Of the characters that are shown, those of the error output get at least this share when they are that many. */
const ERROR_SHARE = 4

/** What the model is told: the output, what it wrote to its error output, and how it ended; and the same as data. */
export function report(outcome: Outcome, limits: Limits): ToolOutput {
  const { exitCode, signal, durationMs, endedBy, leftBehind } = outcome
  const most = limits.maxOutputCharacters
  const room = Math.max(Math.floor(most / ERROR_SHARE), most - outcome.stdout.bytes)
  const stderr = outcome.stderr.kept(Math.min(most, room))
  const stdout = outcome.stdout.kept(most - Math.min(room, outcome.stderr.bytes))
  const failed = exitCode !== 0 && exitCode !== null ? `[exit code: ${exitCode}]` : undefined
  const killed = signal !== null && !endedBy ? `[ended by ${signal}]` : undefined
  const lines = [
    body(stdout),
    stderr.bytes > 0 ? `[stderr]\n${body(stderr)}` : "",
    endedBy ? `[${why(endedBy, limits)}]` : "",
    (!endedBy && (failed ?? killed)) || "",
    leftBehind > 0 ? `[it left ${leftBehind} processes behind, which were ended]` : "",
  ].filter((line) => line !== "")
  return {
    content: [{ type: "text", text: lines.join("\n") || "(no output)" }],
    structured: {
      exit_code: exitCode,
      signal,
      duration_ms: durationMs,
      ended_by: endedBy ?? null,
      stdout: facts(stdout),
      stderr: facts(stderr),
      left_behind: leftBehind,
    },
    isError: endedBy !== undefined,
  }
}

function body({ text, binary, bytes }: Kept): string {
  if (binary) return `[binary output, ${bytes} bytes, not shown]`
  return text.replace(/\n$/, "")
}

const facts = ({ bytes, cut, binary }: Kept) => ({ bytes, cut, binary })

function why(endedBy: EndedBy, limits: Limits): string {
  switch (endedBy) {
    case "timeout":
      return `command timed out after ${limits.timeoutMs / 1_000} seconds`
    case "output":
      return `command ended: it wrote more than ${limits.maxOutputBytes} bytes`
    case "memory":
      return `command ended: it took more than ${limits.maxMemoryBytes} bytes of memory`
    case "processes":
      return `command ended: it had more than ${limits.maxProcesses} processes`
    case "abort":
      return "command ended: the run was stopped"
  }
}
