import { createHash } from "node:crypto"
import {
  type Hooks,
  InvalidInput,
  type JsonObject,
  type Namespace,
  type PolicyLayer,
  type Tool,
  type ToolContext,
  type ToolOutput,
  tool,
} from "@orra/core"
import { ExecError } from "./errors.ts"
import { endingWithHost } from "./host.ts"
import { confined, ISOLATED_HOME, type IsolationOptions } from "./isolation.ts"
import { policyOf } from "./policy.ts"
import { type Command, prepare, realProgram } from "./prepare.ts"
import { report } from "./report.ts"
import { compileRules, type Reason, type RuleOptions } from "./rules.ts"
import { run } from "./run.ts"
import { confinementLines, description, settingsOf } from "./settings.ts"

/** Of which session a command is: what its directory may depend on. Nothing here comes from the model. */
export interface Place {
  readonly namespace: Namespace
  /** The session's metadata. */
  readonly metadata: JsonObject
}

export interface ExecOptions extends RuleOptions, IsolationOptions {
  /**
   * The directory that commands run in and that `working_directory` cannot leave: one for all, or each session's own.
   * It has to exist.
   */
  readonly directory: string | ((place: Place) => string | Promise<string>)
  /**
   * Commands that only a shell can run: `deny` refuses them, `ask` asks a person about each, whatever the rules say.
   * Default `deny`.
   */
  readonly shell?: "deny" | "ask"
  /** Directories in which programs are looked for, by absolute path. Default: the system's. */
  readonly path?: readonly string[]
  /** Added to the environment of every command, which has nothing of the host's: `{ JAVA_HOME: "/opt/java" }`. */
  readonly env?: Readonly<Record<string, string>>
  /** How long a command may take that does not say so itself. Default 30,000 ms. */
  readonly timeoutMs?: number
  /** The longest that it can say. Default 120,000 ms. */
  readonly maxTimeoutMs?: number
  /** Between SIGTERM and SIGKILL. Default 2,000 ms. */
  readonly graceMs?: number
  /** Characters of the output that the model is shown. Default 32,000. */
  readonly maxOutputCharacters?: number
  /** A command that writes more is ended. Default 100,000,000 bytes. */
  readonly maxOutputBytes?: number
  /** Memory of all processes of a command together; one that has more is ended. Default 2 GiB. Linux only. */
  readonly maxMemoryBytes?: number
  /** Processes of a command at the same time; one that has more is ended. Default 256. Linux only. */
  readonly maxProcesses?: number
  /** The largest file that it can write. Default 1 GiB. Where the system has `prlimit`. */
  readonly maxFileBytes?: number
}

/** A tool and what it cannot do without. */
export interface Exec {
  readonly tool: Tool
  /** For `new Runtime({ hooks })`: finds program and directory before anybody decides, so that they are decided. */
  readonly hooks: Hooks
  /** For `policies.set(namespace, ...)`, wherever it may be used. What no layer of this kind has judged does not run. */
  readonly policy: PolicyLayer
  /**
   * What a person should know, in one line each: how commands are confined on this system, and rules that do not allow
   * what they seem to.
   */
  readonly remarks: readonly string[]
  /**
   * The arguments of a call as policy sees them, for `policies.explain`.
   *
   * @throws ExecError when the command cannot be run.
   */
  prepare(input: JsonObject, place: Place): Promise<JsonObject>
}

interface Input {
  readonly command: string
  readonly timeout_secs?: number
  readonly working_directory?: string
}

const MAX_COMMAND = 32_768

/** For what comes after the time is up: ending what is left, and what it still had to say. */
const ENDING_MS = 15_000

/** More commands than this are not on their way at the same time, between being prepared and being run. */
const MAX_PREPARED = 10_000

/**
 * `exec`: runs programs. A command is split into words and run as they are, never by a shell unless `shell` says `ask`
 * and somebody agrees. Rules decide on the real program and its arguments.
 *
 * Input: `command`; `timeout_secs`; `working_directory`, relative to the session's. Output: what it wrote, with a
 * structured `exit_code`, `signal`, `duration_ms` and what was cut. Errors are {@link ExecError}s.
 *
 * ```ts
 * const exec = execTool({ directory: "/srv/work", allow: ["ls", "cat", "git status"] })
 * policies.set(Namespace.parse("tenant:acme"), exec.policy)
 * const runtime = new Runtime({ provider, store, policies, approvals, tools: [exec.tool], hooks: [exec.hooks] })
 * ```
 *
 * @throws InvalidInput for options that are none, and on Windows, which this does not support.
 */
export function execTool(options: ExecOptions): Exec {
  const settings = settingsOf(options)
  const { path, env, shell, confinement, isolated, timeoutMs, maxTimeoutMs } = settings
  const rules = compileRules(options, {
    known: (program) => realProgram(program, path),
    shellAllowed: shell !== undefined,
    isolated,
  })
  const judged = new Map<string, { readonly reason: Reason; asked: boolean }>()
  const running = endingWithHost()
  const salt = createHash("sha256")
    .update(JSON.stringify([env, confinement]))
    .digest("hex")
  const keyOf = (namespace: string, seal: unknown): string => `${namespace}\n${seal}`

  const prepared = async (input: Input, place: Place): Promise<Command> => {
    const root = typeof options.directory === "string" ? options.directory : await options.directory(place)
    const wanted = input.working_directory
    return await prepare(input.command, { root, wanted }, { path, shell, salt })
  }

  const base = tool<Input>({
    name: "exec",
    description: description(options, settings),
    input: {
      type: "object",
      properties: {
        command: {
          type: "string",
          maxLength: MAX_COMMAND,
          description: "The program and its arguments, quoted as in a shell. One program, no shell syntax.",
        },
        timeout_secs: {
          type: "integer",
          minimum: 1,
          description: `Seconds it may take. Default ${timeoutMs / 1_000}, at most ${maxTimeoutMs / 1_000}.`,
        },
        working_directory: {
          type: "string",
          description: "Where to run it, relative to the directory of this session. Default: there.",
        },
      },
      required: ["command"],
      additionalProperties: false,
    },
    risk: "exec",
    idempotent: false,
    untrusted: true,
    timeoutMs: maxTimeoutMs + settings.graceMs + ENDING_MS,
    execute: () => undefined,
  })
  const parse = async (input: JsonObject): Promise<Input> => (await base.parse(withoutEmpty(input))) as Input

  const prepareCall: Exec["prepare"] = async (given, place) => {
    // What the model writes in the place of what is found here is not looked at.
    const { argv: _argv, seal: _seal, ...input } = given
    const parsed = await parse(input)
    if (confinement.bubblewrap === undefined && options.isolation === "required") {
      throw new ExecError("isolation_missing", `Commands must be isolated here, and ${confinement.missing}.`)
    }
    const command = await prepared(parsed, place)
    const { argv, directory, seal } = command
    const key = keyOf(place.namespace.key, seal)
    const reason = rules.judge(command)
    const before = judged.get(key)
    judged.delete(key)
    judged.set(key, { reason, asked: before?.reason === reason && before.asked })
    const [oldest] = judged.keys()
    if (judged.size > MAX_PREPARED && oldest !== undefined) judged.delete(oldest)
    return { ...parsed, working_directory: directory, argv: [...argv], seal }
  }

  const execute = async (given: unknown, context: ToolContext): Promise<ToolOutput> => {
    const { seal, ...input } = given as Input & { readonly seal?: unknown }
    const known = judged.get(keyOf(context.namespace.key, seal))
    if (!known?.asked) {
      throw new ExecError(
        "exec_not_judged",
        "exec runs nothing that its rules have not judged: give its hooks to the runtime and its policy to the namespace.",
      )
    }
    const command = await prepared(input, context)
    if (command.seal !== seal) {
      throw new ExecError(
        "command_changed",
        "The program, a script or the directory has changed since this command was decided: call again.",
      )
    }
    context.signal.throwIfAborted()
    const secs = input.timeout_secs
    const limits = {
      ...settings,
      timeoutMs: secs === undefined ? timeoutMs : Math.min(secs * 1_000, maxTimeoutMs),
    }
    const outcome = await run({
      ...limits,
      argv: confined(command, confinement, options, settings),
      directory: command.directory,
      isolatedHome: isolated ? ISOLATED_HOME : undefined,
      signal: context.signal,
      running,
      progress: (text) => context.progress(text),
    })
    return report(outcome, limits)
  }

  return {
    tool: {
      ...base,
      parse: async ({ argv: _argv, seal, ...input }) => ({ ...(await parse(input)), seal }),
      execute,
    },
    hooks: {
      name: "exec",
      async beforeTool(call, { namespace, metadata }) {
        if (call.name !== "exec") return undefined
        try {
          return { arguments: await prepareCall(call.arguments, { namespace, metadata }) }
        } catch (error) {
          if (error instanceof ExecError || error instanceof InvalidInput) return { reject: error.message }
          throw error
        }
      },
    },
    policy: policyOf(rules.reasons, confinement.missing, ({ namespace, arguments: args }) => {
      const known = judged.get(keyOf(namespace, args?.["seal"]))
      if (!known) throw new InvalidInput("This command was not prepared: give exec's hooks to the runtime.")
      known.asked = true
      return known.reason
    }),
    remarks: [...confinementLines(options, settings), ...rules.remarks],
    prepare: prepareCall,
  }
}

/** Models write null, or nothing, for what they leave out. */
const withoutEmpty = (input: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(input).filter(
      ([key, value]) => value !== null && (key !== "working_directory" || value !== ""),
    ),
  )
