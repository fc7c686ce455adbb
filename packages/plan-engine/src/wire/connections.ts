import type { WebSocket } from "ws"
import { Ask, type Delivery, type Question, type Reply } from "./ask.ts"
import { Connection } from "./connection.ts"
import type { Received, ServiceFrame } from "./service-frame.ts"

export interface ConnectionsOptions extends Partial<Delivery> {
  /** How often a service is asked whether it is there, in ms, default 30,000; one that does not answer until the next time is gone. */
  readonly pingMs?: number
  /** How long a socket has to show that it lives when another one of its service opens, in ms, default 5,000. */
  readonly doubtMs?: number
}

/** The connections of all services, by the ids of services. Who sends is known by the socket and never by what it says. */
export class Connections {
  readonly #services = new Map<string, ServiceLink>()
  readonly #pingMs: number
  readonly #doubtMs: number
  readonly #delivery: Delivery
  readonly #startedAt = performance.now()

  constructor({
    pingMs = 30_000,
    doubtMs = 5_000,
    redeliverMs = [1_500, 5_000, 15_000],
    handoverMs = 5_000,
  }: ConnectionsOptions = {}) {
    this.#pingMs = pingMs
    this.#doubtMs = doubtMs
    this.#delivery = { redeliverMs, handoverMs }
  }

  /** A socket whose owner was found to be this service by a key, of which this is the hash. */
  add(service: string, socket: WebSocket, key: string): void {
    const link = this.#link(service)
    const connection = new Connection(socket, {
      service,
      key,
      pingMs: this.#pingMs,
      onFrame: ({ frame }: Received) => link.receive(frame),
      onClose: (closed) => link.remove(closed),
    })
    link.add(connection, this.#doubtMs)
  }

  isConnected(service: string): boolean {
    return (this.#services.get(service)?.count ?? 0) > 0
  }

  /** How long a service has been away, in ms: 0 when it is connected. */
  awayMs(service: string): number {
    if (this.isConnected(service)) return 0
    return performance.now() - (this.#services.get(service)?.leftAt ?? this.#startedAt)
  }

  /** Has a service do something, as soon as it is there. @throws the reason of the signal. */
  ask(question: Question): Promise<Reply> {
    return this.#link(question.service).ask(question)
  }

  /** Closes the sockets of a service that was removed, or those that were opened with a key that was revoked. */
  close(of: { readonly service: string } | { readonly key: string }): void {
    for (const [id, link] of this.#services)
      if ("key" in of) link.close("The key was revoked.", of.key)
      else if (id === of.service) link.close("The service was removed.")
  }

  #link(service: string): ServiceLink {
    const known = this.#services.get(service)
    if (known) return known
    const made = new ServiceLink(this.#delivery)
    this.#services.set(service, made)
    return made
  }
}

/** Of each service so many answers that nobody waits for yet are kept, which can be long, and so many keys. */
const MAX_EARLY = 100
const MAX_KEYS = 1_000
/** The code of a WebSocket that its peer may have no longer. */
const POLICY_VIOLATION = 1008

class ServiceLink {
  leftAt: number | undefined
  readonly #delivery: Delivery
  readonly #connections = new Set<Connection>()
  readonly #asks = new Map<string, Ask>()
  /** What came while a task was between two attempts, or before a restarted engine asked again. */
  readonly #early = new Map<string, Reply>()
  readonly #failures = new Map<string, true>()
  /** Who had a task: only there it is known whether it was done. */
  readonly #had = new Map<string, Connection>()

  constructor(delivery: Delivery) {
    this.#delivery = delivery
  }

  get count(): number {
    return this.#connections.size
  }

  /** Of those that are there this one may be the next: a client does not always close what it has given up. */
  add(connection: Connection, doubtMs: number): void {
    for (const older of this.#connections) older.doubt(doubtMs)
    this.#connections.add(connection)
    for (const ask of this.#asks.values()) ask.opened(connection)
  }

  /** Only this one: another may have come before it was seen that this one has gone. */
  remove(connection: Connection): void {
    this.#connections.delete(connection)
    this.leftAt = performance.now()
    for (const ask of this.#asks.values()) ask.closed(connection)
  }

  async ask(question: Question): Promise<Reply> {
    const { key } = question
    const early = this.#early.get(key)
    this.#early.delete(key)
    if (early) return early
    const ask = new Ask(question, this.#delivery, () => this.#pick(key))
    this.#asks.set(key, ask)
    try {
      return await ask.reply()
    } finally {
      this.#asks.delete(key)
      if (ask.connection) remember(this.#had, key, ask.connection, MAX_KEYS)
    }
  }

  receive(frame: ServiceFrame): void {
    if (frame.type === "pong" || frame.type === "unknown") return
    const isFailure = frame.type === "result" && frame.error !== undefined
    if (isFailure) {
      // A failure that comes twice is one: the attempt after it has not failed.
      const failure = `${frame.key} ${frame.execution}`
      if (this.#failures.has(failure)) return
      remember(this.#failures, failure, true, MAX_KEYS)
    }
    const ask = this.#asks.get(frame.key)
    if (ask) ask.heard(frame)
    else if (frame.type === "aborted" || (frame.type === "result" && !isFailure))
      remember(this.#early, frame.key, frame, MAX_EARLY)
  }

  close(reason: string, key?: string): void {
    for (const connection of this.#connections)
      if (key === undefined || connection.key === key) connection.close(POLICY_VIOLATION, reason)
  }

  /**
   * The one that had it; else the one with the least to do, of those the one that had none for longest. One that is
   * doubted gets nothing as long as there is another.
   */
  #pick(key: string): Connection | undefined {
    const sure = [...this.#connections].filter(({ isDoubted }) => !isDoubted)
    const able = sure.length > 0 ? sure : [...this.#connections]
    const had = this.#had.get(key)
    if (had && able.includes(had)) return had
    let [least] = able
    for (const connection of able) if (least && connection.load < least.load) least = connection
    if (least && this.#connections.delete(least)) this.#connections.add(least)
    return least
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}
