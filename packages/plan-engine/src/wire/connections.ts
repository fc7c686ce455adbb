import type { Namespace, SessionStore } from "@orra/core"
import type { WebSocket } from "ws"
import type { Delivery, Question, Reply } from "./ask.ts"
import { Connection } from "./connection.ts"
import { Engines, isShared, type Mail } from "./engines.ts"
import type { AnsweredFrame } from "./service-frame.ts"
import { ServiceLink } from "./service-link.ts"

export interface ConnectionsOptions extends Partial<Delivery> {
  /** How often a service is asked whether it is there, in ms, default 30,000; one that does not answer until the next time is gone. */
  readonly pingMs?: number
  /** How long a socket has to show that it lives when another one of its service opens, in ms, default 5,000. */
  readonly doubtMs?: number
  /** How often an engine tells the others on its store that it lives, in ms, default 3,000; after three times as long it is dead. */
  readonly beatMs?: number
}

/** What is around the connections of an engine. */
interface Surroundings {
  /** Where the engines of a store find each other. */
  readonly store: SessionStore
  readonly root: Namespace
  /** Told of what a service says of a task that nobody waits for. */
  readonly onUnasked: (service: string, frame: AnsweredFrame) => void
  readonly onError: (error: unknown) => void
}

/**
 * The connections of all services, by the ids of services: the sockets here, and where several engines share the store,
 * those of the others. Who sends is known by the socket and never by what it says.
 */
export class Connections {
  readonly #services = new Map<string, ServiceLink>()
  readonly #pingMs: number
  readonly #doubtMs: number
  readonly #delivery: Delivery
  readonly #onUnasked: Surroundings["onUnasked"]
  readonly #engines: Engines | undefined
  readonly #startedAt = performance.now()

  constructor(
    {
      pingMs = 30_000,
      doubtMs = 5_000,
      beatMs = 3_000,
      redeliverMs = [1_500, 5_000, 15_000],
      handoverMs = 5_000,
    }: ConnectionsOptions = {},
    around?: Surroundings,
  ) {
    this.#pingMs = pingMs
    this.#doubtMs = doubtMs
    this.#delivery = { redeliverMs, handoverMs }
    this.#onUnasked = around?.onUnasked ?? (() => {})
    if (!around || !isShared(around.store)) return
    this.#engines = new Engines({
      ...around,
      store: around.store,
      beatMs,
      onPresence: (engine, service, is) => {
        const link = this.#link(service)
        if (is !== "there") link.removeEngine(engine, is === "lost")
        else link.addEngine(engine, (message) => this.#tell(engine, { type: "ask", service, message }))
      },
      onMail: (from, mail) => this.#read(from, mail),
    })
  }

  /** Finds the other engines on the store, before anything is asked or any socket is there. @throws StoreError. */
  async join(): Promise<void> {
    await this.#engines?.join()
  }

  /** The others go on without what is connected here. */
  async leave(): Promise<void> {
    await this.#engines?.leave()
  }

  /** A socket whose owner was found to be this service by a key, of which this is the hash. */
  add(service: string, socket: WebSocket, key: string): void {
    const link = this.#link(service)
    const connection = new Connection(socket, {
      service,
      key,
      pingMs: this.#pingMs,
      onFrame: ({ frame }, from) => link.receive(frame, from),
      onClose: (closed) => {
        link.remove(closed)
        if (!link.isHere) this.#engines?.present(service, false)
      },
    })
    if (!link.isHere) this.#engines?.present(service, true)
    link.add(connection, this.#doubtMs)
  }

  /** Whether it is, here or at another engine. */
  isConnected(service: string): boolean {
    return this.#services.get(service)?.isConnected ?? false
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
  close(of: Closing): void {
    this.#close(of)
    this.#engines?.tellAll({ type: "close", of })
  }

  /** Has what a service has said of a task, here or at another engine, told to `onUnasked` once more. */
  recall(service: string, key: string): void {
    this.#services.get(service)?.recall(key)
    this.#engines?.tellAll({ type: "recall", service, key })
  }

  #close(of: Closing): void {
    for (const [id, link] of this.#services)
      if ("key" in of) link.close("The key was revoked.", of.key)
      else if (id === of.service) link.close("The service was removed.")
  }

  #read(from: string, mail: Mail): void {
    switch (mail.type) {
      case "ask":
        this.#link(mail.service).relay(from, mail.message)
        break
      case "heard":
        this.#link(mail.service).receive(mail.frame)
        break
      case "recall":
        this.#services.get(mail.service)?.recall(mail.key)
        break
      case "close":
        this.#close(mail.of)
        break
    }
  }

  #tell(engine: string, mail: Mail): boolean {
    return this.#engines?.tell(engine, mail) ?? false
  }

  #link(service: string): ServiceLink {
    const known = this.#services.get(service)
    if (known) return known
    const made = new ServiceLink(
      this.#delivery,
      (engine, frame) => this.#tell(engine, { type: "heard", service, frame }),
      (frame) => this.#onUnasked(service, frame),
    )
    this.#services.set(service, made)
    return made
  }
}

type Closing = Extract<Mail, { type: "close" }>["of"]
