import {
  Client,
  type ClientOptions,
  type OAuthClientProvider,
  SdkHttpError,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type Tool,
  UnauthorizedError,
} from "@modelcontextprotocol/client"
import { getDefaultEnvironment, StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { errorMessage } from "@orra/core"
import { direct, MAX_MESSAGE_BYTES } from "./direct.ts"
import type { McpError } from "./errors.ts"
import { type Failures, failuresOf } from "./failure.ts"

/** A program that is a server, spoken to over its standard input and output. */
export interface StdioServer {
  readonly command: string
  readonly args?: readonly string[]
  /** Added to the few names that every program needs; nothing else of this process is passed on. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** A server on the network. */
export interface HttpServer {
  readonly url: string
  /** Sent with every request, to this server only: redirects are refused. */
  readonly headers?: Readonly<Record<string, string>>
  /** Signs in with OAuth. */
  readonly auth?: OAuthClientProvider
  /**
   * Where `auth` sends a person to a page: waits until they are back at its `redirectUrl`, and gives the query they
   * came with, after its `state` was compared. Without it such a server is not available before `auth` has tokens.
   */
  readonly callback?: () => Promise<URLSearchParams>
  /** `sse` is the transport of 2024, for servers that know no other. Default `http`. */
  readonly transport?: "http" | "sse"
}

/** What every call of the connection works with. */
export interface ConnectionEvents {
  /** The tools there are now: at the beginning, and whenever that changes. `client` says what else is offered. */
  readonly onTools: (tools: readonly Tool[], client: Client) => Promise<void>
  /** What went wrong without anybody having asked for anything. */
  readonly onProblem: (error: McpError) => void
  /** Registers what the server may ask of its client. */
  readonly prepare: (client: Client) => void
  readonly capabilities: NonNullable<ClientOptions["capabilities"]>
  readonly timeoutMs: number
}

/** Pauses before a server is tried again. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Of what a program complains of, the end. */
const MAX_COMPLAINT = 2_000

type Transport = StdioClientTransport | StreamableHTTPClientTransport | SSEClientTransport

/** A server that is connected, or about to be again. */
export class Connection {
  readonly #server: StdioServer | HttpServer
  readonly #events: ConnectionEvents
  #client: Promise<Client> | undefined
  #connected: Client | undefined
  readonly #calls = new WeakMap<Client, number>()
  readonly #forgotten = new Set<Client>()
  #close: (() => Promise<unknown>) | undefined
  #signingIn: Promise<void> | undefined
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  readonly #failed: Failures
  #complaint = ""
  #closed = false

  constructor(name: string, server: StdioServer | HttpServer, events: ConnectionEvents) {
    this.#server = server
    this.#failed = failuresOf(name, server)
    this.#events = events
  }

  /** The connected client. @throws McpError (`mcp_unavailable`). */
  async client(): Promise<Client> {
    if (this.#closed) throw this.#failed.unavailable("it is shut down")
    if (this.#timer) throw this.#failed.unavailable("it has failed and is tried again in a moment")
    this.#client ??= this.#connect()
    return await this.#client
  }

  /** Asks the server for something. @throws McpError. */
  async ask<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const client = await this.client()
    try {
      return await this.#with(client, work)
    } catch (error) {
      signal?.throwIfAborted()
      throw this.#failed.of(error, this.#complaint)
    }
  }

  async #with<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
    this.#calls.set(client, (this.#calls.get(client) ?? 0) + 1)
    try {
      return await work(client)
    } catch (error) {
      // Of a connection that it has forgotten it has done nothing, nor where it wants more than was agreed to.
      if (isForgotten(error, client.transport)) return await work(await this.#anew(client))
      await this.#signIn(error, client.transport)
      return await work(client)
    } finally {
      const left = (this.#calls.get(client) ?? 1) - 1
      this.#calls.set(client, left)
      if (left === 0 && this.#forgotten.delete(client)) void client.close().catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    // Also one that is not connected yet: it would keep its caller waiting.
    await this.#close?.()
    await this.#client?.catch(() => undefined)
  }

  /** Connects again, once for all who were told that the server does not know this connection any more. */
  async #anew(forgotten: Client): Promise<Client> {
    if (this.#connected === forgotten) {
      this.#client = undefined
      this.#connected = undefined
      // Its other calls are told the same: it is closed after them.
      forgotten.onclose = () => {}
      this.#forgotten.add(forgotten)
    }
    return await this.client()
  }

  /** Lets a person sign in, once for all who wait for it. @throws what was given where that is not what is missing. */
  async #signIn(error: unknown, transport: unknown): Promise<void> {
    const callback = "url" in this.#server ? this.#server.callback : undefined
    if (!callback || !UnauthorizedError.isInstance(error) || !isRemote(transport)) throw error
    this.#signingIn ??= callback()
      .then((query) => transport.finishAuth(query))
      .finally(() => {
        this.#signingIn = undefined
      })
    await this.#signingIn
  }

  async #connect(signedIn = false): Promise<Client> {
    const { prepare, capabilities, onTools, onProblem, timeoutMs } = this.#events
    const client = new Client(
      { name: "orra", version: "0" },
      {
        capabilities,
        versionNegotiation: { mode: "auto" },
        listChanged: {
          tools: {
            onChanged: (error, tools) => {
              if (error) onProblem(this.#failed.of(error, this.#complaint))
              else void this.#told(tools ?? [], client)
            },
          },
        },
      },
    )
    prepare(client)
    this.#complaint = ""
    const transport = this.#transport()
    this.#close = () => Promise.all([client.close(), transport.close()])
    client.onerror = () => {
      // What it says besides the protocol, such as a log on its output, is passed over; calls have their own errors.
    }
    try {
      await client.connect(transport, { timeout: timeoutMs })
      client.onclose = () => this.#lost()
      const { tools } = await client.listTools(undefined, { timeout: timeoutMs })
      await onTools(tools, client)
      this.#failures = 0
      this.#connected = client
      return client
    } catch (error) {
      client.onclose = () => {}
      await client.close().catch(() => {})
      const again = signedIn ? error : await this.#signIn(error, transport).catch((reason: unknown) => reason)
      if (again === undefined) return await this.#connect(true)
      this.#lost()
      const why = this.#complaint ? `: ${this.#complaint}` : ""
      throw this.#failed.unavailable(`${errorMessage(again)}${why}`, again)
    }
  }

  async #told(tools: readonly Tool[], client: Client): Promise<void> {
    try {
      await this.#events.onTools(tools, client)
    } catch (error) {
      this.#events.onProblem(this.#failed.of(error, this.#complaint))
    }
  }

  #transport(): Transport {
    const server = this.#server
    if ("command" in server) {
      const { command, args = [], env = {}, cwd } = server
      const transport = new StdioClientTransport({
        command,
        args: [...args],
        env: { ...getDefaultEnvironment(), ...env },
        stderr: "pipe",
        maxBufferSize: MAX_MESSAGE_BYTES,
        ...(cwd !== undefined && { cwd }),
      })
      transport.stderr?.on("data", (chunk: Buffer) => {
        this.#complaint = (this.#complaint + chunk.toString("utf8")).slice(-MAX_COMPLAINT).toWellFormed()
      })
      return transport
    }
    const { url, headers, auth, transport = "http" } = server
    const options = {
      fetch: direct(() => void this.#close?.()),
      ...(auth && { authProvider: auth }),
      ...(headers && { requestInit: { headers: { ...headers } } }),
    }
    return transport === "sse"
      ? new SSEClientTransport(new URL(url), options)
      : new StreamableHTTPClientTransport(new URL(url), options)
  }

  /** It ended by itself: it is connected again after a pause, longer each time it fails. */
  #lost(): void {
    this.#client = undefined
    if (this.#closed || this.#timer) return
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures++)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.client().catch((error: unknown) => this.#events.onProblem(this.#failed.of(error, this.#complaint)))
    }, pause)
    this.#timer.unref()
  }
}

/** HTTP says so of a connection that has expired, or was of a server that has begun anew since. */
const isForgotten = (error: unknown, transport: unknown): boolean =>
  error instanceof SdkHttpError &&
  error.status === 404 &&
  transport instanceof StreamableHTTPClientTransport &&
  transport.sessionId !== undefined

const isRemote = (transport: unknown): transport is StreamableHTTPClientTransport | SSEClientTransport =>
  transport instanceof StreamableHTTPClientTransport || transport instanceof SSEClientTransport
