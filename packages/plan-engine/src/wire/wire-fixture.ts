import { once } from "node:events"
import type { AddressInfo } from "node:net"
import type { Json, JsonObject } from "@orra/core"
import { WebSocket, WebSocketServer } from "ws"
import { newId } from "../ids.ts"
import type { Reply } from "./ask.ts"
import type { Connections } from "./connections.ts"
import { SOCKETS } from "./service-socket.ts"

/** A task as it comes over the wire, with what a handler may do besides answering. */
interface WireTask {
  readonly id: string
  readonly input: JsonObject
  readonly idempotencyKey: string
  readonly executionId: string
  readonly pushUpdate: (data: Json) => void
  readonly abort: (payload: Json) => never
}
export type Handler = (task: WireTask) => Json | undefined | Promise<Json | undefined>
type Revert = (task: JsonObject, result: Json, context: Json) => Json | undefined

class Aborted extends Error {}

/**
 * A service that speaks the wire as the original's JavaScript SDK was seen to, its defects included: what comes before
 * `start` is dropped, what was done is known by its key and answered again under the new execution, an abort is answered
 * again as an ordinary result, and what was not acknowledged is sent again after a reconnect, without its envelope.
 */
export class WireService {
  /** Every frame that came. */
  readonly frames: JsonObject[] = []
  /** Keys of what the handler was called for, in order. */
  readonly handled: string[] = []
  handler: Handler | undefined
  onRevert: Revert | undefined
  revertTTL = 60_000
  /** It answers nothing when it is asked to undo something. */
  isMute = false
  socket: WebSocket | undefined
  #url: string
  readonly #processed = new Map<string, JsonObject>()
  readonly #running = new Set<string>()
  readonly #unacknowledged = new Map<string, JsonObject>()
  #count = 0

  constructor(url: string) {
    this.#url = url
  }

  async connect(): Promise<this> {
    const socket = new WebSocket(this.#url)
    this.socket = socket
    socket.on("message", (data) => this.#receive(JSON.parse(String(data)) as JsonObject))
    await once(socket, "open")
    for (const payload of this.#unacknowledged.values()) socket.send(JSON.stringify(payload))
    this.#unacknowledged.clear()
    return this
  }

  /** From now on it connects to another engine, as behind a balancer. */
  move(engine: string): void {
    const url = new URL(this.#url)
    url.host = new URL(engine).host
    this.#url = url.href
  }

  async drop(): Promise<void> {
    const { socket } = this
    if (!socket || socket.readyState === socket.CLOSED) return
    const closed = once(socket, "close")
    socket.terminate()
    await closed
  }

  /** The frames of a type, as soon as there are so many. */
  async seen(type: string, count = 1): Promise<readonly JsonObject[]> {
    for (;;) {
      const found = this.frames.filter((frame) => frame["type"] === type)
      if (found.length >= count) return found
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  #receive(frame: JsonObject): void {
    this.frames.push(frame)
    const { type } = frame
    if (type === "ACK") this.#unacknowledged.delete(String(frame["id"]))
    if (type === "ping")
      this.#raw({ id: "pong", payload: { type: "pong", serviceId: frame["serviceId"] ?? "" } })
    if (type === "task_request" && this.handler) void this.#run(frame, this.handler)
    if (type === "compensation_request" && !this.isMute) this.#revert(frame)
  }

  async #run(frame: JsonObject, handler: Handler): Promise<void> {
    const key = String(frame["idempotencyKey"])
    const known = this.#processed.get(key)
    if (known) return this.send(frame, { type: "task_result", result: known, error: null })
    if (this.#running.has(key)) return this.send(frame, { type: "task_status", status: "in_progress" })
    this.#running.add(key)
    this.handled.push(key)
    try {
      const task = await handler({
        id: String(frame["id"]),
        input: frame["input"] as JsonObject,
        idempotencyKey: key,
        executionId: String(frame["executionId"]),
        pushUpdate: (data) => this.send(frame, { type: "task_interim_result", result: { task: data } }),
        abort: (payload) => {
          this.#processed.set(key, { status: "aborted", task: payload })
          this.send(frame, { type: "task_abort_result", result: { task: payload } })
          throw new Aborted()
        },
      })
      const data = { originalTask: frame, taskResult: task ?? null }
      const compensation = this.onRevert ? { data, ttl: this.revertTTL } : null
      const result = { ...(task !== undefined && { task }), compensation }
      this.#processed.set(key, result)
      this.send(frame, { type: "task_result", result, error: null })
    } catch (error) {
      if (!(error instanceof Aborted))
        this.send(frame, { type: "task_result", result: null, error: String((error as Error).message) })
    } finally {
      this.#running.delete(key)
    }
  }

  #revert(frame: JsonObject): void {
    const { originalTask, taskResult } = frame["input"] as JsonObject
    try {
      const answer = this.onRevert?.(
        originalTask as JsonObject,
        taskResult ?? null,
        frame["compensationContext"] ?? null,
      )
      const isPartial = typeof answer === "object" && answer !== null && "partial" in answer
      this.send(frame, {
        type: "task_result",
        result: isPartial ? answer : { status: "completed" },
        error: null,
      })
    } catch (error) {
      this.send(frame, { type: "task_result", result: null, error: String((error as Error).message) })
    }
  }

  /** In its envelope; without a connection it is kept. */
  send(about: JsonObject, payload: JsonObject): void {
    const { id, executionId, serviceId, idempotencyKey } = about
    const whole = {
      taskId: id ?? "",
      executionId: executionId ?? "",
      serviceId: serviceId ?? "",
      idempotencyKey: idempotencyKey ?? "",
      ...payload,
    }
    const message = `message_${++this.#count}_${String(executionId)}`
    this.#unacknowledged.set(message, whole)
    this.#raw({ id: message, payload: whole })
  }

  #raw(frame: JsonObject): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame))
  }
}

/** The sockets of an engine by themselves: the path of the address is the service. */
export async function socketsOf(
  connections: Connections,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = new WebSocketServer({ ...SOCKETS, port: 0, host: "127.0.0.1" })
  server.on("connection", (socket, { url = "" }) => connections.add(url.slice(1), socket, "key"))
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    for (const client of server.clients) client.terminate()
    server.close()
  }
  return { url: `ws://127.0.0.1:${port}`, close }
}

/** Has a service do something, as an engine does. */
export function askOf(
  connections: Connections,
  key: string,
  {
    id = "s_a",
    timeoutMs = 20_000,
    graceMs = 20_000,
    onProgress = () => {},
  }: { id?: string; timeoutMs?: number; graceMs?: number; onProgress?: (data: Json) => void } = {},
): Promise<Reply> {
  return connections.ask({
    service: id,
    key,
    message: () => ({
      type: "task_request",
      id: "task1",
      input: { n: 1 },
      executionId: newId("e_"),
      idempotencyKey: key,
      serviceId: id,
    }),
    timeoutMs,
    graceMs,
    onProgress: ({ data }) => onProgress(data),
    signal: new AbortController().signal,
  })
}
