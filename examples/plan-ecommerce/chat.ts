import { readFile } from "node:fs/promises"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { join } from "node:path"
import { errorMessage, isObject, type Json, parseJson } from "@orra/core"
import { type EngineAccess, orchestrate, type PlanEnd } from "@orra/plan-sdk"

type StepState = "begun" | "done" | "failed" | "undone"

/** What the page is told while a message is answered, a line of JSON each. */
type Told =
  | { readonly type: "plan"; readonly steps: readonly { readonly id: string; readonly service: string }[] }
  | { readonly type: "step"; readonly id: string; readonly state: StepState }
  | { readonly type: "reply"; readonly text: string; readonly isDone: boolean }

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  "/": ["chat.html", "text/html"],
  "/chat.js": ["chat.js", "text/javascript"],
  "/chat.css": ["chat.css", "text/css"],
}
const MAX_BYTES = 10_000

/** The chat page, and what it asks: each message is a plan. Whoever leaves before the end cancels it. */
export function chatServer(engine: EngineAccess): Server {
  return createServer(async (request, response) => {
    try {
      if (request.method === "POST" && request.url === "/messages") await answer(engine, request, response)
      else await file(request.url ?? "/", response)
    } catch (error) {
      if (!response.headersSent) response.writeHead(400)
      response.end(errorMessage(error))
    }
  })
}

async function file(url: string, response: ServerResponse): Promise<void> {
  const [name, type] = FILES[url] ?? []
  if (name === undefined || type === undefined) return void response.writeHead(404).end()
  response
    .writeHead(200, {
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": "default-src 'self'",
    })
    .end(await readFile(join(import.meta.dirname, "page", name)))
}

async function answer(
  engine: EngineAccess,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { customer, text } = await messageIn(request)
  const left = new AbortController()
  response.on("close", () => left.abort(new Error("Nobody waits for it any more.")))
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" })
  const tell = (told: Told): void => void response.write(`${JSON.stringify(told)}\n`)
  try {
    const end = await orchestrate(
      engine,
      { action: text, data: { customerId: customer } },
      {
        signal: left.signal,
        onPlan: (steps) => tell({ type: "plan", steps }),
        onEntry: ({ type, task, halt }) => {
          const state = STATES[String(type)]
          // Of what ends a plan it is said which task did.
          const id = isObject(halt) ? halt["task"] : task
          if (state) tell({ type: "step", id: String(id), state })
        },
      },
    )
    tell({ type: "reply", text: replyOf(end), isDone: end.status === "completed" })
  } catch (error) {
    tell({ type: "reply", text: errorMessage(error), isDone: false })
  }
  response.end()
}

const STATES: Readonly<Record<string, StepState>> = {
  task_sent: "begun",
  task_done: "done",
  halted: "failed",
  undone: "undone",
}

/** What the services that come last have to say. */
function replyOf({ status, results = [], abortInfo }: PlanEnd): string {
  const textIn = (value: Json | undefined, name: string): string =>
    isObject(value) && typeof value[name] === "string" ? value[name] : ""
  if (status === "completed")
    return (
      results
        .map((result) => textIn(result, "message"))
        .join(" ")
        .trim() || "Done."
    )
  const why = textIn(abortInfo?.["payload"], "reason") || "Something went wrong."
  return `${why} Nothing was bought.`
}

/** @throws Error for what the page does not send. */
async function messageIn(
  request: IncomingMessage,
): Promise<{ readonly customer: string; readonly text: string }> {
  // A page of somebody else could send a form here, but no JSON.
  if (request.headers["content-type"] !== "application/json") throw new Error("Send JSON.")
  let body = ""
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk
    if (body.length > MAX_BYTES) throw new Error("That is too long.")
  }
  const message = parseJson(body)
  if (!isObject(message) || typeof message["customer"] !== "string" || typeof message["text"] !== "string")
    throw new Error("Send { customer, text }.")
  return { customer: message["customer"], text: message["text"] }
}
