import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type JsonObject, MemoryStore, Namespace, OrraError, type ToolCallPart } from "@orra/core"
import { discordRoot, type LoadedConfig, OWNER } from "../server/config/load.ts"
import { nearest } from "../server/config/nearest.ts"
import { type Explanation, explainCall, type Question } from "../server/policy/explain.ts"
import { buildTools, type Toolbox } from "../server/tools/tools.ts"

/** `herald policy explain`. */
export interface PolicyTask {
  readonly type: "policy"
  readonly tool: string
  /** As it was typed. */
  readonly arguments: string
  /** Whose session, as the key of its namespace. */
  readonly as?: string
  readonly agent?: string
  readonly channel?: "web" | "discord" | "api" | "schedule"
  readonly tainted: boolean
}

/** How long MCP servers are waited for. */
const SERVER_WAIT_MS = 30_000

/** A server, a channel and a person that nobody is. */
const SOMEBODY = ["guild", "0", "0"]

/**
 * Says what would be decided about a call, and which layers and rules speak. Nothing is called, and nothing is written in
 * the data directory.
 *
 * @throws OrraError `tool_unknown`, `arguments_invalid`, `namespace_needed`, `namespace_unknown`,
 *   `call_rejected` for what no rule ever sees.
 */
export async function explainPolicy(loaded: LoadedConfig, task: PolicyTask): Promise<string> {
  const { config } = loaded
  const args = argumentsOf(task.arguments)
  const namespace = namespaceOf(loaded, task)
  const dataDir = await mkdtemp(join(tmpdir(), "herald-explain-"))
  try {
    const toolbox = await buildTools({ ...loaded, dataDir }, "UTC", new MemoryStore(), {
      waitMs: SERVER_WAIT_MS,
    })
    await toolbox.close()
    const tools = new Map(
      [...toolbox.tools, ...toolbox.registry.list()].map((tool) => [tool.definition.name, tool]),
    )
    const tool = tools.get(task.tool)
    if (!tool) throw unknownTool(task.tool, [...tools.keys()])
    const { risk } = tool
    const question = {
      tool: task.tool,
      risk,
      arguments: await prepared(toolbox, task.tool, args, namespace),
      tainted: task.tainted,
      namespace,
      agent: task.agent ?? (config.agents[0] ?? config.agent).name,
    }
    return report(question, args, await explainCall(config, toolbox.policy, question))
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** The arguments as the tools' own hooks leave them, which is what policy sees: a command with the program that it is. */
async function prepared(
  { hooks }: Toolbox,
  name: string,
  args: JsonObject,
  namespace: Namespace,
): Promise<JsonObject> {
  let call: ToolCallPart = { type: "tool_call", id: "call", name, arguments: args }
  const { signal } = new AbortController()
  for (const hook of hooks) {
    const answer = await hook.beforeTool?.(call, { namespace, runId: "explain", metadata: {}, signal })
    if (answer && "reject" in answer) throw new OrraError("call_rejected", answer.reject)
    if (answer && "arguments" in answer) call = { ...call, arguments: answer.arguments }
  }
  return call.arguments
}

function report(question: Question, args: JsonObject, { verdict, place, layers }: Explanation): string {
  const { tool, risk, namespace, agent, tainted } = question
  if (!place) {
    throw new OrraError("namespace_unknown", `Nobody of this Herald is at "${namespace}": see gateway.keys.`)
  }
  const width = Math.max(...layers.map(({ name }) => name.length))
  return [
    `${tool} ${JSON.stringify(args)}`,
    `  risk ${risk}, as ${namespace}, in ${place.channel}, by ${agent}${tainted ? ", after reading strangers" : ""}`,
    ...(place.hasApprover ? [] : ["  nobody there can be asked: what would be asked about is refused"]),
    "",
    `${verdict.decision}  ${verdict.layer}: ${verdict.rule}`,
    "",
    ...layers.map(({ name, says, rule = "" }) => `  ${name.padEnd(width)}  ${says}  ${rule}`.trimEnd()),
  ].join("\n")
}

function argumentsOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject
  } catch {
    // Said below.
  }
  throw new OrraError("arguments_invalid", `--arguments is no JSON object: write '{"path": "a.txt"}'.`)
}

function namespaceOf(loaded: LoadedConfig, { as, channel }: PolicyTask): Namespace {
  if (as === undefined && channel === "api") {
    throw new OrraError("namespace_needed", "Say whose key it is: --as, with a namespace of gateway.keys.")
  }
  const root =
    as !== undefined
      ? Namespace.parse(as)
      : channel === "discord"
        ? discordRoot(loaded.config).child(...SOMEBODY)
        : OWNER
  return channel === "schedule" ? root.child("~cron", "job", "1") : root
}

function unknownTool(name: string, known: readonly string[]): OrraError {
  const meant = nearest(name, known)
  const hint = meant === undefined ? `There are ${known.join(", ")}.` : `Did you mean "${meant}"?`
  return new OrraError("tool_unknown", `No tool is called "${name}", or it is not on. ${hint}`)
}
