import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Json, JsonObject } from "@orra/core"
import { textOf, useTool } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type GitHubToolsOptions, githubTools } from "./index.ts"

/** What was asked of the service. */
export interface Asked {
  readonly method: string
  /** With what is behind it. */
  readonly path: string
  readonly body: JsonObject
  readonly authorization: string | undefined
  readonly accept: string | undefined
}

interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  /** Instead of JSON. */
  readonly text?: string
}

/** What the service says, by method and path: `"GET /repos/acme/rockets/issues"`. A list is answered in pages. */
export type Answers = Readonly<
  Record<string, Answer | readonly Json[] | ((asked: Asked, attempt: number) => Answer)>
>

/** A service that answers as GitHub would, over HTTP, and the tools pointed at it. */
export async function fakeGitHub(answers: Answers, options: Partial<GitHubToolsOptions> = {}) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const now = await read(request)
    asked.push(now)
    const route = `${now.method} ${now.path.split("?")[0]}`
    const found = answers[route]
    const attempt = asked.filter(({ method, path }) => `${method} ${path.split("?")[0]}` === route).length
    if (!found) return send(response, { status: 404, body: { message: "Not Found" } })
    if (Array.isArray(found)) return send(response, paged(found, request))
    send(response, typeof found === "function" ? found(now, attempt) : (found as Answer))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tools = githubTools({ repositories: ["acme/rockets"], auth: "secret-token", baseUrl, ...options })
  const use = async (name: string, input: JsonObject = {}, signal?: AbortSignal): Promise<string> =>
    textOf(await useTool(tools, name, input, signal && { signal }))
  return { asked, tools, use, baseUrl, server }
}

async function read(request: IncomingMessage): Promise<Asked> {
  let text = ""
  for await (const chunk of request.setEncoding("utf8")) text += chunk
  const { authorization, accept } = request.headers
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    body: text === "" ? {} : JSON.parse(text),
    authorization,
    accept,
  }
}

function paged(items: readonly Json[], request: IncomingMessage): Answer {
  const url = new URL(request.url ?? "", `http://${request.headers.host}`)
  const size = Number(url.searchParams.get("per_page") ?? 30)
  const page = Number(url.searchParams.get("page") ?? 1)
  return { body: items.slice((page - 1) * size, page * size) }
}

function send(response: ServerResponse, { status = 200, headers = {}, body, text }: Answer): void {
  const type =
    text === undefined ? "application/json; charset=utf-8" : "application/vnd.github.diff; charset=utf-8"
  response.writeHead(status, { "content-type": type, ...headers })
  response.end(text ?? JSON.stringify(body ?? {}))
}

const user = (login: string): Json => ({ login })

/** An issue as the service has it. */
export const issue = (number: number, extra: JsonObject = {}): JsonObject => ({
  number,
  state: "open",
  title: `Issue ${number}`,
  body: "It does not fly.",
  labels: [],
  assignees: [],
  user: user("ann"),
  comments: 0,
  created_at: "2026-01-02T03:04:05Z",
  html_url: `https://github.com/acme/rockets/issues/${number}`,
  repository_url: "https://api.github.com/repos/acme/rockets",
  ...extra,
})

/** A pull request as the service has it. */
export const pull = (number: number, extra: JsonObject = {}): JsonObject => ({
  ...issue(number),
  title: `Pull ${number}`,
  draft: false,
  merged_at: null,
  mergeable: true,
  mergeable_state: "clean",
  changed_files: 1,
  head: { label: "acme:fix", ref: "fix", sha: "a".repeat(40) },
  base: { label: "acme:main", ref: "main", sha: "b".repeat(40) },
  ...extra,
})
