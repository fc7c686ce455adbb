import { AsyncLocalStorage } from "node:async_hooks"
import {
  type CallToolResult,
  type ClientCapabilities,
  type InputRequiredResult,
  isInputRequiredResult,
  type ServerContext,
} from "@modelcontextprotocol/server"
import {
  canonicalJson,
  type Json,
  OrraError,
  type Tool,
  type ToolContext,
  type ToolOptions,
  type ToolOutput,
  type ToolResultPart,
  tool,
} from "@orra/core"
import { outputOf } from "./content.ts"
import type { Caller } from "./expose.ts"

/** What a client asked, from the protocol's side. */
export interface ClientCall {
  readonly caller: Caller
  /** What the client can be asked for. */
  readonly capabilities: ClientCapabilities
  /** What it has answered (`inputResponses`), and its log. */
  readonly context: ServerContext
  /** The `requestState` of an earlier part of this call: it comes back sealed, so nobody else wrote it. */
  readonly state: string | undefined
}

/** As for `tool`, but what it answers is the protocol's own. */
export interface ClientToolOptions<Input> extends Omit<ToolOptions<Input>, "execute"> {
  /**
   * Answers with anything that the protocol has, such as sounds and embedded resources, or with `inputRequired(...)`
   * of `@modelcontextprotocol/server` to ask the client's person or model first; it is called again with what they say.
   */
  execute(
    input: Input,
    client: ClientCall,
    context: ToolContext,
  ): Promise<CallToolResult | InputRequiredResult> | CallToolResult | InputRequiredResult
}

/** One call of a client, while the runtime carries it out. */
interface Carried {
  readonly client: ClientCall
  answer?: { readonly result: CallToolResult | InputRequiredResult; readonly output: ToolOutput }
}

const calls = new AsyncLocalStorage<Carried>()

/**
 * A tool for the clients of `mcpHttp` and `mcpStdio`. Like every other it goes through hooks, policy, budgets and the
 * log; agents of this runtime cannot call it.
 *
 * ```ts
 * const speak = clientTool<{ text: string }>({
 *   name: "speak",
 *   description: "Says a text aloud.",
 *   input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
 *   risk: "read",
 *   execute: async ({ text }) => ({ content: [{ type: "audio", mimeType: "audio/wav", data: await voice(text) }] }),
 * })
 * ```
 */
export function clientTool<Input = Record<string, never>>(options: ClientToolOptions<Input>): Tool {
  return tool<Input>({
    ...options,
    async execute(input, context) {
      const carried = calls.getStore()
      if (!carried)
        throw new OrraError("mcp_client_only", "Only clients of the Model Context Protocol can call this.")
      const result = await options.execute(input, carried.client, context)
      const output: ToolOutput = isInputRequiredResult(result)
        ? { content: [{ type: "text", text: "The client is asked first." }] }
        : outputOf(result)
      carried.answer = { result, output }
      return output
    },
  })
}

/** Carries out a call of a client. The tool's own answer counts where no hook has put another in its place. */
export async function carried(
  client: ClientCall,
  call: () => Promise<ToolResultPart>,
): Promise<{ readonly result: ToolResultPart; readonly own?: CallToolResult | InputRequiredResult }> {
  const store: Carried = { client }
  const result = await calls.run(store, call)
  const { answer } = store
  const isSame = answer && canonicalJson(textOf(answer.output)) === canonicalJson(textOf(result))
  return isSame ? { result, own: answer.result } : { result }
}

const textOf = ({ content }: Pick<ToolOutput, "content">): Json =>
  content.map((part) => (part.type === "text" ? part.text : part.data))
