import { randomUUID } from "node:crypto"
import {
  type Budgets,
  codePoints,
  InvalidInput,
  isObject,
  type SessionStore,
  type Tool,
  type ToolContext,
  type ToolOutput,
  tool,
  truncated,
} from "@orra/core"
import { type Place, workingDirectory } from "@orra/exec/process"
import { type CliOptions, type CliResult, claudeCli } from "./cli.ts"
import { ClaudeCodeError } from "./errors.ts"

export interface ClaudeCodeOptions extends CliOptions {
  /** The directory it works in and that `working_directory` cannot leave: one for all, or each session's own. */
  readonly directory: string | ((place: Place) => string | Promise<string>)
  /** Where it is kept which sessions of its belong to whom: the store of the runtime's sessions. */
  readonly store: Pick<SessionStore, "records">
  /** Where a task is charged: `maxUsd` before it begins, what it cost afterwards. */
  readonly budgets?: Budgets
}

/** Of its answer, in characters. */
const MAX_TEXT = 32_000
/** For ending what is left after the time is up. */
const ENDING_MS = 15_000

/**
 * `claude_code` hands a task to the Claude Code command line, and `claude_code_resume` goes on with it. What it says and
 * does meanwhile is told as progress.
 *
 * ```ts
 * const tools = claudeCode({ directory: "/srv/work", store, budgets, env: { ANTHROPIC_API_KEY: key } })
 * ```
 *
 * Risk `exec`: it changes files and runs commands in its directory, by its own rules, which this runtime's policy does
 * not see.
 *
 * @throws InvalidInput for options that are none.
 */
export function claudeCode(options: ClaudeCodeOptions): readonly Tool[] {
  const cli = claudeCli(options)
  const sessions = options.store.records("claude_code")
  const text = (description: string) => ({ type: "string", minLength: 1, maxLength: 100_000, description })
  const common = {
    risk: "exec",
    untrusted: true,
    timeoutMs: cli.timeoutMs + ENDING_MS,
  } as const

  const perform = async (
    task: string,
    session: { readonly id: string; readonly isNew: boolean },
    directory: string,
    context: ToolContext,
  ): Promise<ToolOutput> => {
    if (task.trim() === "") throw new InvalidInput("The task is empty: say what is to be done.")
    const outlay = await options.budgets?.setAside(context, cli.maxUsd)
    let result: CliResult | undefined
    try {
      result = await cli.run({
        text: task,
        session,
        directory,
        signal: context.signal,
        progress: (line) => context.progress(line),
      })
      return report(result, session.id)
    } finally {
      // One that was killed may have cost anything: it is charged as if it had cost all it may.
      await outlay?.settle(result?.costUsd ?? cli.maxUsd)
    }
  }

  return [
    tool<{ task: string; working_directory?: string | null }>({
      ...common,
      name: "claude_code",
      description:
        "Hands a task in the files of this session's directory to Claude Code, which works on it by itself: reads, edits, runs commands. Its answer says what it did; go on with claude_code_resume.",
      input: {
        type: "object",
        properties: {
          task: text("What is to be done, with all it needs to know."),
          working_directory: {
            type: ["string", "null"],
            description: "Where to work, relative to the directory of this session. Default: there.",
          },
        },
        required: ["task"],
        additionalProperties: false,
      },
      async execute({ task, working_directory: wanted }, context) {
        const root =
          typeof options.directory === "string" ? options.directory : await options.directory(context)
        const directory = await workingDirectory(root, wanted ?? undefined)
        const session = { id: randomUUID(), isNew: true }
        await sessions.put(context.namespace, session.id, { directory })
        return await perform(task, session, directory, context)
      },
    }),
    tool<{ session_id: string; follow_up: string }>({
      ...common,
      name: "claude_code_resume",
      description: "Goes on with a task that was handed to Claude Code: it knows what was said and done.",
      input: {
        type: "object",
        properties: {
          session_id: { type: "string", maxLength: 64, description: "From the answer of claude_code." },
          follow_up: text("What is to be done now."),
        },
        required: ["session_id", "follow_up"],
        additionalProperties: false,
      },
      async execute({ session_id: id, follow_up: task }, context) {
        // What was not begun here is not there, whatever id the model has.
        const known = /^[\da-f-]{36}$/.test(id) ? await sessions.get(context.namespace, id) : undefined
        const directory = isObject(known?.value) ? known.value["directory"] : undefined
        if (typeof directory !== "string") {
          throw new ClaudeCodeError(
            "claude_code_session_unknown",
            "There is no such session: use the session_id of an answer of claude_code, or begin anew.",
          )
        }
        return await perform(
          task,
          { id, isNew: false },
          await workingDirectory(directory, undefined),
          context,
        )
      },
    }),
  ]
}

const ENDINGS: Readonly<Record<string, string>> = {
  error_max_turns: "It has used all its steps and is not done: resume it to go on.",
  error_max_budget_usd: "It has spent what one task may cost and is not done.",
}

function report(result: CliResult, id: string): ToolOutput {
  const { text, subtype, isError, turns, costUsd, refused, durationMs } = result
  const lines = [
    `[session_id: ${id} | ${isError ? "ended" : "completed"} in ${(durationMs / 1_000).toFixed(1)}s]`,
    ...(ENDINGS[subtype] === undefined ? [] : [ENDINGS[subtype]]),
    ...(refused.length > 0 ? [`It was not allowed to use: ${refused.join(", ")}`] : []),
    truncated(text, codePoints(text), MAX_TEXT) || "(It said nothing.)",
  ]
  return {
    content: [{ type: "text", text: lines.join("\n") }],
    structured: { session_id: id, turns, duration_ms: durationMs, cost_usd: costUsd, ended: subtype },
    isError,
  }
}
