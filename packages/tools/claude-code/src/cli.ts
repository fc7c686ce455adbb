import { accessSync, constants } from "node:fs"
import { homedir } from "node:os"
import { delimiter, isAbsolute, join } from "node:path"
import { InvalidInput } from "@orra/core"
import { ExecError, type ProcessOutcome, runProcess } from "@orra/exec/process"
import { ClaudeCodeError } from "./errors.ts"
import { EventReader, type Result } from "./events.ts"

/** How the program is run. */
export interface CliOptions {
  /** The program: a path, or a name that is looked up in `PATH`. Default `claude`. */
  readonly command?: string
  /** The tools it may use without being asked, as its `--allowedTools` takes them. Default Read, Edit, Bash. */
  readonly allowedTools?: readonly string[]
  /** Its steps for one task. Default 10. */
  readonly maxTurns?: number
  /** What one task may cost, by its own count. Default 5 USD. */
  readonly maxUsd?: number
  /** How long one task may take. Default 300,000 ms. */
  readonly timeoutMs?: number
  /** Let it do everything without its own questions. Default false. It refuses that as root. */
  readonly skipPermissions?: boolean
  /** Its model. Default: its own choice. */
  readonly model?: string
  /**
   * Which of its settings it reads: its user's, or the project's as well, which can name programs that it runs
   * unasked. Default `user`.
   */
  readonly settings?: "user" | "project"
  /** Its whole environment beside a few names: `{ ANTHROPIC_API_KEY: key }`. Default: none, so it uses its own login. */
  readonly env?: Readonly<Record<string, string>>
  /** Where its login and its sessions are. Default: the home directory of whoever runs this. */
  readonly home?: string
}

/** A task for it, in a session of its own or in one that there is. */
export interface CliTask {
  readonly text: string
  readonly session: { readonly id: string; readonly isNew: boolean }
  readonly directory: string
  readonly signal: AbortSignal
  progress(text: string): void
}

/** What came of a task, and how long it took. */
export type CliResult = Result & { readonly durationMs: number }

export interface Cli {
  readonly maxUsd: number
  readonly timeoutMs: number
  /** @throws ClaudeCodeError, ExecError (`directory_refused`). */
  run(task: CliTask): Promise<CliResult>
}

const MAX_COMPLAINT = 2_000
/** A shorter value is no secret, and may stand in any text. */
const MIN_SECRET = 8

/** @throws InvalidInput for an option that is none. */
export function claudeCli(options: CliOptions): Cli {
  const { maxTurns = 10, maxUsd = 5, timeoutMs = 300_000, home = homedir(), env = {} } = options
  const { allowedTools = ["Read", "Edit", "Bash"], settings = "user" } = options
  if (!Number.isSafeInteger(maxTurns) || maxTurns < 1)
    throw new InvalidInput("`maxTurns` is a whole number from 1.", { maxTurns })
  if (!(maxUsd > 0 && Number.isFinite(maxUsd)))
    throw new InvalidInput("`maxUsd` is an amount above 0.", { maxUsd })
  if (!(timeoutMs > 0)) throw new InvalidInput("`timeoutMs` is a number of ms above 0.", { timeoutMs })
  // Each value is joined to its option: none can be taken for another option.
  const given = [
    "--print",
    "--verbose",
    "--output-format=stream-json",
    "--strict-mcp-config",
    `--setting-sources=${settings === "user" ? "user" : "user,project"}`,
    `--max-turns=${maxTurns}`,
    `--max-budget-usd=${maxUsd}`,
    ...(allowedTools.length > 0 ? [`--allowedTools=${allowedTools.join(",")}`] : []),
    ...(options.model === undefined ? [] : [`--model=${options.model}`]),
    ...(options.skipPermissions ? ["--dangerously-skip-permissions"] : []),
  ]
  const path = process.env["PATH"] ?? ""
  const hidden = Object.values(env).filter((value) => value.length >= MIN_SECRET)
  const withoutSecrets = (text: string): string =>
    hidden.reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text)

  return {
    maxUsd,
    timeoutMs,
    async run({ text, session, directory, signal, progress }) {
      const events = new EventReader((line) => progress(withoutSecrets(line)))
      const { id, isNew } = session
      const outcome = await runProcess({
        argv: [
          found(options.command ?? "claude", path),
          ...given,
          `--${isNew ? "session-id" : "resume"}=${id}`,
        ],
        directory,
        home,
        env: {
          PATH: path,
          LANG: "C.UTF-8",
          TERM: "dumb",
          NO_COLOR: "1",
          DISABLE_AUTOUPDATER: "1",
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
          ...env,
        },
        // Not as an argument: it may begin like an option, be longer than arguments may be, and others see those.
        input: text,
        timeoutMs,
        signal,
        onOutput: (chunk) => events.add(chunk),
      }).catch((error: unknown) => {
        throw error instanceof ExecError && error.code === "spawn_failed" ? missing(error) : error
      })
      signal.throwIfAborted()
      const { result } = events
      if (outcome.endedBy || !result) throw failure(outcome, timeoutMs, withoutSecrets)
      return { ...result, text: withoutSecrets(result.text), durationMs: outcome.durationMs }
    },
  }
}

/** @throws ClaudeCodeError when there is none. */
function found(command: string, path: string): string {
  const places = command.includes("/")
    ? [command]
    : path.split(delimiter).map((folder) => join(folder, command))
  const program = places.find((place) => isAbsolute(place) && isExecutable(place))
  if (program === undefined) throw missing()
  return program
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const missing = (cause?: unknown): ClaudeCodeError =>
  new ClaudeCodeError(
    "claude_code_missing",
    "Claude Code is not installed here: npm install -g @anthropic-ai/claude-code, or set `command` to its absolute path.",
    {},
    cause,
  )

function failure(
  { endedBy, exitCode, signal, stderr }: ProcessOutcome,
  timeoutMs: number,
  withoutSecrets: (text: string) => string,
): ClaudeCodeError {
  if (endedBy === "timeout") {
    return new ClaudeCodeError(
      "claude_code_timeout",
      `Claude Code was stopped after ${timeoutMs / 1_000} s. Its session can be resumed, or the task made smaller.`,
    )
  }
  if (endedBy) {
    return new ClaudeCodeError("claude_code_limit", `Claude Code was stopped: too much ${endedBy}.`, {
      endedBy,
    })
  }
  const complaint = withoutSecrets(stderr.text).slice(-MAX_COMPLAINT).toWellFormed().trim()
  return new ClaudeCodeError(
    "claude_code_failed",
    `Claude Code ended without a result (${signal ?? `exit code ${exitCode}`}). ${complaint || "It did not say why."}`,
    { exitCode, signal },
  )
}
