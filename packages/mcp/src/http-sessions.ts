import { randomUUID } from "node:crypto"
import { type McpServer, WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server"
import type { Caller } from "./expose.ts"

/** Connections of clients of 2025 that are kept. The one that was not heard of for longest goes first. */
const MAX_SESSIONS = 1_000
/** A connection that nothing was heard of for so long, and that listens to nothing, is ended when another begins. */
const MAX_IDLE_MS = 3_600_000

interface Session {
  readonly owner: string
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly mcp: McpServer
  /** Answers that are being sent. */
  open: number
  heard: number
}

/**
 * Clients of 2025, each with the connection that it began with `initialize`: what the server asks and tells them needs
 * one. Whoever is not the one who began it is told that it does not exist.
 */
export class HttpSessions {
  readonly #sessions = new Map<string, Session>()
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** Answers an `initialize`. */
  async begin(request: Request, body: unknown, caller: Caller, mcp: McpServer): Promise<Response> {
    this.#makeRoom()
    const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, { owner: ownerOf(caller), transport, mcp, open: 0, heard: this.#now() })
      },
      onsessionclosed: (id) => void this.#sessions.delete(id),
    })
    await mcp.connect(transport)
    return await transport.handleRequest(request, { parsedBody: body })
  }

  /** Answers what comes later. 404 for a connection that is not there, or another's. */
  async serve(request: Request, id: string, caller: Caller): Promise<Response> {
    const session = this.#sessions.get(id)
    if (!session || session.owner !== ownerOf(caller)) return notFound()
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    session.heard = this.#now()
    const response = await session.transport.handleRequest(request)
    return counted(response, session)
  }

  async close(): Promise<void> {
    const all = [...this.#sessions.values()]
    this.#sessions.clear()
    await Promise.all(all.map(({ mcp }) => mcp.close()))
  }

  #makeRoom(): void {
    const old = this.#now() - MAX_IDLE_MS
    for (const [id, session] of this.#sessions) {
      const isIdle = session.open === 0 && session.heard < old
      if (!isIdle && this.#sessions.size < MAX_SESSIONS) continue
      this.#sessions.delete(id)
      void session.mcp.close()
    }
  }
}

/** The rights that it began with are part of it: with others it has to begin anew. */
const ownerOf = ({ namespace, principal, mayApprove }: Caller): string =>
  JSON.stringify([namespace.key, principal ?? null, mayApprove === true])

function notFound(): Response {
  const error = { code: -32_001, message: "Session not found" }
  return Response.json({ jsonrpc: "2.0", error, id: null }, { status: 404 })
}

/** The answer, with its body counted as open until it has ended or nobody reads it any more. */
function counted(response: Response, session: Session): Response {
  if (!response.body) return response
  session.open++
  const reader = response.body.getReader()
  let isOpen = true
  const end = (): void => {
    if (isOpen) session.open--
    isOpen = false
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (value) controller.enqueue(value)
        if (!done) return
        end()
        controller.close()
      } catch (error) {
        end()
        controller.error(error)
      }
    },
    async cancel(reason) {
      end()
      await reader.cancel(reason)
    },
  })
  return new Response(body, response)
}
