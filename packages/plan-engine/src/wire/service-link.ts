import { type JsonObject, randomId } from "@orra/core"
import { Ask, type Delivery, type Line, type Question, type Reply } from "./ask.ts"
import type { Connection } from "./connection.ts"
import type { AnsweredFrame, ServiceFrame } from "./service-frame.ts"
import { TOO_LONG } from "./service-socket.ts"

/** What a service says of a task. */
type TaskFrame = Exclude<ServiceFrame, { type: "pong" | "unknown" }>

/** A task that another engine has sent through a socket here. */
interface Relayed {
  readonly engine: string
  readonly connection: Connection
}

/** Of each service so many answers that nobody waits for yet are kept, which can be long, and so many keys. */
const MAX_EARLY = 100
const MAX_KEYS = 1_000
/** The code of a WebSocket that its peer may have no longer. */
const POLICY_VIOLATION = 1008

/** All ways to one service, and what is asked of it. */
export class ServiceLink {
  leftAt: number | undefined
  readonly #delivery: Delivery
  readonly #tell: (engine: string, frame: ServiceFrame) => boolean
  readonly #onUnasked: (frame: AnsweredFrame) => void
  readonly #connections = new Set<Connection>()
  readonly #engines = new Map<string, Line & { isDoubted: boolean }>()
  readonly #asks = new Map<string, Ask>()
  readonly #relayed = new Map<string, Relayed>()
  /** What came while a task was between two attempts, or before a restarted engine asked again. */
  readonly #early = new Map<string, AnsweredFrame>()
  readonly #failures = new Map<string, true>()
  /** Who had a task: only there it is known whether it was done. */
  readonly #had = new Map<string, Line>()

  /**
   * @param tell tells another engine what was said of a task that it sent: false when there is none.
   * @param onUnasked told of answers that nobody waits for.
   */
  constructor(
    delivery: Delivery,
    tell: (engine: string, frame: ServiceFrame) => boolean,
    onUnasked: (frame: AnsweredFrame) => void,
  ) {
    this.#delivery = delivery
    this.#tell = tell
    this.#onUnasked = onUnasked
  }

  get isConnected(): boolean {
    return this.isHere || this.#engines.size > 0
  }

  /** Whether it has a socket at this engine. */
  get isHere(): boolean {
    return this.#connections.size > 0
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
    // Which of the answers it was nobody knows: those that were not are there when they are asked for again.
    for (const [key, { engine, connection: had }] of this.#relayed) {
      if (had !== connection) continue
      this.#relayed.delete(key)
      if (connection.isTooLong) this.#tell(engine, tooLong(key))
    }
    for (const [key, ask] of this.#asks) {
      if (connection.isTooLong && ask.line === connection) ask.heard(tooLong(key))
      ask.closed(connection)
    }
  }

  /** Another engine has sockets of it. */
  addEngine(engine: string, send: (message: JsonObject) => void): void {
    const line = { load: 0, isDoubted: false, send }
    this.#engines.set(engine, line)
    for (const ask of this.#asks.values()) ask.opened(line)
  }

  removeEngine(engine: string, isLost: boolean): void {
    const line = this.#engines.get(engine)
    if (!line) return
    this.#engines.delete(engine)
    line.isDoubted = isLost
    this.leftAt = performance.now()
    for (const ask of this.#asks.values()) ask.closed(line)
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
      if (ask.line) remember(this.#had, key, ask.line, MAX_KEYS)
    }
  }

  /** Sends what another engine asks through one of the sockets here. Where there is none any more that engine hears of it. */
  relay(engine: string, message: JsonObject): void {
    const key = String(message["idempotencyKey"])
    const early = this.#early.get(key)
    if (early && this.#tell(engine, early)) {
      this.#early.delete(key)
      return
    }
    const connection = this.#relayed.get(key)?.connection ?? this.#pickHere(key)
    if (!connection) return
    if (!this.#relayed.has(key)) connection.load++
    this.#relayed.set(key, { engine, connection })
    connection.send(message)
  }

  /** @param from the socket; none for what another engine has heard. */
  receive(frame: ServiceFrame, from?: Connection): void {
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
    else if (from && this.#tellsAsker(frame)) return
    else if (frame.type === "aborted" || frame.type === "result") {
      if (!isFailure) remember(this.#early, frame.key, frame, MAX_EARLY)
      this.#onUnasked(frame)
    }
  }

  /** Tells once more of an answer that came when nobody waited for it. */
  recall(key: string): void {
    const early = this.#early.get(key)
    if (early) this.#onUnasked(early)
  }

  close(reason: string, key?: string): void {
    for (const connection of this.#connections)
      if (key === undefined || connection.key === key) connection.close(POLICY_VIOLATION, reason)
  }

  #tellsAsker(frame: TaskFrame): boolean {
    const relayed = this.#relayed.get(frame.key)
    if (!relayed) return false
    if (frame.type === "result" || frame.type === "aborted") {
      this.#relayed.delete(frame.key)
      relayed.connection.load--
      remember(this.#had, frame.key, relayed.connection, MAX_KEYS)
    }
    return this.#tell(relayed.engine, frame)
  }

  /**
   * The one that had it; else the one with the least to do, of those the one that had none for longest. One that is
   * doubted gets nothing as long as there is another, and another engine only where it has less to do than the sockets here.
   */
  #pick(key: string): Line | undefined {
    const had = this.#had.get(key)
    const remote = [...this.#engines.values()]
    if (had && remote.includes(had)) return had
    const here = this.#pickHere(key)
    if (here && here === had) return here
    const [there] = remote.toSorted((a, b) => a.load - b.load)
    if (!here || !there) return here ?? there
    return here.isDoubted || there.load < here.load ? there : here
  }

  #pickHere(key: string): Connection | undefined {
    const sure = [...this.#connections].filter(({ isDoubted }) => !isDoubted)
    const able = sure.length > 0 ? sure : [...this.#connections]
    const had = able.find((connection) => connection === this.#had.get(key))
    if (had) return had
    let [least] = able
    for (const connection of able) if (least && connection.load < least.load) least = connection
    if (least && this.#connections.delete(least)) this.#connections.add(least)
    return least
  }
}

const tooLong = (key: string): AnsweredFrame => ({
  type: "result",
  key,
  execution: randomId(),
  result: null,
  error: TOO_LONG,
})

function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > most && oldest !== undefined) map.delete(oldest)
}
