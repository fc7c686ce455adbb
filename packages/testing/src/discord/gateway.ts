import type { Server } from "node:http"
import { type WebSocket, WebSocketServer } from "ws"
import { guildJson, type World } from "./world.ts"

export interface GatewayOptions {
  readonly token: string
  /** Intents that the bot may ask for: a bit set. */
  intents: number
  readonly heartbeatMs: number
}

interface Frame {
  readonly op: number
  readonly d?: unknown
  readonly s?: number
  readonly t?: string
}

/** What one that identified itself has been told: kept for as long as it may resume. */
interface Session {
  readonly id: string
  readonly frames: Frame[]
  sequence: number
  socket: WebSocket | undefined
}

/** The gateway: one WebSocket per shard, which is told what happens, and may go on where it was cut off. */
export class Gateway {
  readonly #world: World
  readonly #options: GatewayOptions
  readonly #server: WebSocketServer
  readonly #sessions = new Map<string, Session>()
  readonly #changed: () => void
  /** How often somebody identified himself, and resumed. */
  readonly counts = { identified: 0, resumed: 0, heartbeats: 0 }
  /** Answers no heartbeats while true. */
  silent = false
  /** Refuses every resumption while true. */
  forgetful = false

  constructor(server: Server, world: World, options: GatewayOptions, changed: () => void) {
    this.#changed = changed
    this.#world = world
    this.#options = options
    this.#server = new WebSocketServer({ server, path: "/gateway" })
    this.#server.on("connection", (socket) => this.#serve(socket))
  }

  get connected(): number {
    return [...this.#sessions.values()].filter(({ socket }) => socket).length
  }

  /** Tells all sessions; those that are cut off learn of it when they resume. */
  dispatch(t: string, d: unknown): void {
    for (const session of this.#sessions.values()) this.#tell(session, t, d)
  }

  /** Cuts every connection, with this close code. Sessions can be resumed. */
  cut(code: number): void {
    for (const session of this.#sessions.values()) {
      session.socket?.close(code)
      session.socket = undefined
    }
  }

  /** Sends every connection an operation of the gateway: 7 to reconnect, 9 for an invalid session. */
  operation(op: 7 | 9, d: unknown): void {
    for (const { socket } of this.#sessions.values()) socket?.send(JSON.stringify({ op, d }))
    if (op === 9 && d === false) this.#sessions.clear()
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate()
    this.#server.close()
  }

  #serve(socket: WebSocket): void {
    let session: Session | undefined
    const send = (frame: Frame): void => socket.send(JSON.stringify(frame))
    send({ op: 10, d: { heartbeat_interval: this.#options.heartbeatMs } })
    socket.on("close", () => {
      if (session?.socket === socket) session.socket = undefined
      this.#changed()
    })
    socket.on("message", (data) => {
      const { op, d } = JSON.parse(String(data)) as { op: number; d: Record<string, unknown> }
      if (op === 1) {
        this.counts.heartbeats++
        if (!this.silent) send({ op: 11 })
      } else if (op === 2) {
        if (d["token"] !== this.#options.token) return socket.close(4004)
        if ((Number(d["intents"]) & ~this.#options.intents) !== 0) return socket.close(4014)
        this.counts.identified++
        session = { id: this.#world.newId(), frames: [], sequence: 0, socket }
        this.#sessions.set(session.id, session)
        this.#begin(session)
      } else if (op === 6) {
        session = this.forgetful ? undefined : this.#sessions.get(String(d["session_id"]))
        if (!session) return send({ op: 9, d: false })
        this.counts.resumed++
        session.socket = socket
        for (const frame of session.frames) if ((frame.s ?? 0) > Number(d["seq"])) send(frame)
        this.#tell(session, "RESUMED", {})
      }
      this.#changed()
    })
  }

  #begin(session: Session): void {
    const { bot, guilds } = this.#world
    const { port } = this.#server.address() as { port: number }
    this.#tell(session, "READY", {
      v: 10,
      user: bot,
      guilds: [...guilds.keys()].map((id) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: `ws://127.0.0.1:${port}/gateway`,
      application: { id: bot.id, flags: 0 },
    })
    for (const guild of guilds.values()) this.#tell(session, "GUILD_CREATE", guildJson(this.#world, guild))
  }

  #tell(session: Session, t: string, d: unknown): void {
    const frame: Frame = { op: 0, t, d, s: ++session.sequence }
    session.frames.push(frame)
    session.socket?.send(JSON.stringify(frame))
  }
}
