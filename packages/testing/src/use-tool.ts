import {
  Approvals,
  type CallOptions,
  callTool,
  type Hooks,
  type ImagePart,
  type JsonObject,
  MemoryStore,
  Namespace,
  type PolicyLayer,
  PolicyRegistry,
  Runtime,
  type TextPart,
  type Tool,
  type ToolContext,
  type ToolOutput,
  type ToolResultPart,
} from "@orra/core"
import { scriptedProvider } from "./scripted-provider.ts"

/**
 * Calls one of these tools as a runtime would once policy has allowed it: the arguments are parsed first. The context
 * is made up, except for what is given.
 *
 * ```ts
 * const output = await useTool([weather], "weather", { city: "Oslo" }, { signal })
 * console.log(textOf(output))
 * ```
 *
 * @throws what the tool throws; InvalidInput for arguments that it does not take.
 */
export async function useTool(
  tools: readonly Tool[],
  name: string,
  input: JsonObject = {},
  context: Partial<ToolContext> = {},
): Promise<ToolOutput> {
  const found = tools.find(({ definition }) => definition.name === name)
  if (!found) {
    const names = tools.map(({ definition }) => definition.name).join(", ")
    throw new Error(`There is no tool ${name} among ${names}.`)
  }
  return await found.execute(await found.parse(input), {
    namespace: Namespace.of("test"),
    runId: "run",
    callId: "call",
    idempotencyKey: "key",
    signal: new AbortController().signal,
    metadata: {},
    progress() {},
    ...context,
  })
}

/** Tools in a runtime, and what else it works with. */
export interface ToolBench {
  readonly runtime: Runtime
  readonly policies: PolicyRegistry
  readonly approvals: Approvals
  /** Calls a tool as a model's call is carried out, through hooks, policy and log, in a session of its own. */
  call(name: string, input: JsonObject, options?: CallOptions): Promise<ToolResultPart>
}

export interface ToolBenchOptions {
  readonly hooks?: readonly Hooks[]
  /** What the policy of the user's tenant says of the tools. Default: they are allowed. */
  readonly policy?: PolicyLayer
  /** Below whom the sessions are. Default "test", which is its own tenant. */
  readonly user?: Namespace
}

/**
 * These tools in a runtime of their own, with its store in memory.
 *
 * ```ts
 * const { call } = toolBench([weather], { policy: { ask: ["*"] } })
 * const { status } = await call("weather", { city: "Oslo" }) // "denied": nobody is there to be asked
 * ```
 */
export function toolBench(
  tools: readonly Tool[],
  { hooks = [], policy = { allow: ["*"] }, user = Namespace.of("test") }: ToolBenchOptions = {},
): ToolBench {
  const policies = new PolicyRegistry()
  const [tenant = ""] = user.segments
  policies.set(Namespace.of(tenant), policy)
  const approvals = new Approvals()
  const store = new MemoryStore()
  const provider = scriptedProvider([])
  const runtime = new Runtime({ provider, store, tools, hooks: [...hooks], policies, approvals })
  let sessions = 0
  return {
    runtime,
    policies,
    approvals,
    // One that answers, or whose last call is still ending, does nothing else.
    call: (name, input, options) => callTool(runtime, user.child(`${++sessions}`), name, input, options),
  }
}

/** The text of what a tool answered. A picture is its type in angle brackets: `<image/png>`. */
export function textOf({ content }: { readonly content: readonly (TextPart | ImagePart)[] }): string {
  return content.map((part) => (part.type === "text" ? part.text : `<${part.mediaType}>`)).join("\n")
}
