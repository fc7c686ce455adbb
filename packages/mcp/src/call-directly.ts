import type { CallToolResult, InputRequiredResult } from "@modelcontextprotocol/server"
import {
  callTool,
  isObject,
  type JsonObject,
  type Runtime,
  SessionBusy,
  type ToolResultPart,
} from "@orra/core"
import { type ClientCall, carried } from "./client-tool.ts"

/** Sessions in which a caller's direct calls are recorded: so many can go on at a time. */
const MAX_SESSIONS = 32

/** Calls a tool through the runtime's one door, recorded in one of a few sessions of the caller's. */
export async function callDirectly(
  runtime: Runtime,
  client: ClientCall,
  tool: string,
  input: JsonObject,
  progress: (message: string) => void,
): Promise<CallToolResult | InputRequiredResult> {
  const { namespace, principal } = client.caller
  const { signal } = client.context.mcpReq
  for (let n = 1; n <= MAX_SESSIONS; n++) {
    const session = namespace.child(`mcp-tools-${n}`)
    if (runtime.isRunning(session)) continue
    const watching = new AbortController()
    const watched = (async () => {
      for await (const event of runtime.subscribe(session, { signal: watching.signal }))
        if (event.type === "progress") progress(event.text.trimEnd())
    })()
    try {
      const options = { signal, ...(principal !== undefined && { principal }) }
      const { result, own } = await carried(client, () => callTool(runtime, session, tool, input, options))
      return own ?? resultOf(result)
    } catch (error) {
      // Another call was quicker to take this one.
      if (!(error instanceof SessionBusy)) throw error
    } finally {
      watching.abort()
      await watched
    }
  }
  throw new SessionBusy(`${MAX_SESSIONS} calls are under way: wait for one to end.`)
}

const resultOf = ({ content, structured, status }: ToolResultPart): CallToolResult => ({
  content: content.map((part) =>
    part.type === "text"
      ? { type: "text", text: part.text }
      : { type: "image", mimeType: part.mediaType, data: part.data },
  ),
  ...(isObject(structured) && { structuredContent: structured }),
  ...(status !== "ok" && { isError: true }),
})
