import { randomId } from "@orra/core"
import { eventStream } from "./event-stream.ts"
import { parseMessage, parseRunOptions } from "./input.ts"
import type { GatewayRequest, Route } from "./route.ts"
import { writableNamespace } from "./sessions.ts"

/** With attachments a message may be large; base64 adds a third. */
export const MESSAGE_BYTES = 28 * 1024 * 1024

/** The programs' way in: one request, one answer. */
export const chatRoutes: readonly Route[] = [
  { method: "POST", path: "/api/chat", permission: "chat", maxBytes: MESSAGE_BYTES, handle: chat },
]

async function chat(request: GatewayRequest): Promise<Response> {
  const { runtime, principal, headers } = request
  const body = await request.body()
  const message = parseMessage(body["message"])
  const options = parseRunOptions(request, body, message)
  const namespace =
    body["namespace"] === undefined || body["namespace"] === null
      ? principal.namespace.child(randomId())
      : await writableNamespace(runtime, principal, body["namespace"])

  if (body["stream"] === true || headers.get("accept")?.includes("text/event-stream")) {
    const submission = await runtime.submit(namespace, message, options)
    const watching = new AbortController()
    const events = runtime.follow(submission, { signal: watching.signal })
    const response = eventStream(events, () => watching.abort())
    response.headers.set("x-namespace", encodeURIComponent(namespace.key))
    return response
  }

  const { text, usage } = await runtime.run(namespace, message, options)
  return Response.json({
    message: text,
    namespace: namespace.key,
    usage: {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      total_tokens: usage.inputTokens + usage.outputTokens,
    },
  })
}
