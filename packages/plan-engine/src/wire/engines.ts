import { setTimeout as pause } from "node:timers/promises"
import {
  everyItem,
  type Json,
  type JsonObject,
  type Namespace,
  type Records,
  randomId,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import type { ServiceFrame } from "./service-frame.ts"

/** A store that several engines can share. */
type SharedStore = SessionStore & Required<Pick<SessionStore, "changes" | "announce" | "now">>

export const isShared = (store: SessionStore): store is SharedStore =>
  store.changes !== undefined && store.announce !== undefined && store.now !== undefined

/** What one engine tells another. */
export type Mail =
  /** A message for one of the sockets that a service has there. */
  | { readonly type: "ask"; readonly service: string; readonly message: JsonObject }
  /** What the service said of it. */
  | { readonly type: "heard"; readonly service: string; readonly frame: ServiceFrame }
  /** Whoever has the answer to a task is to tell of it: its plan has ended without. */
  | { readonly type: "recall"; readonly service: string; readonly key: string }
  /** A service was removed, or a key revoked. */
  | { readonly type: "close"; readonly of: { readonly service: string } | { readonly key: string } }

type Presence = "there" | "away" | "lost"

export interface EnginesOptions {
  readonly store: SharedStore
  readonly root: Namespace
  /** How often an engine says that it lives, in ms; one that has not for three times as long is dead. */
  readonly beatMs: number
  /** A service has sockets at another engine, has none there any more, or that engine is gone itself. */
  readonly onPresence: (engine: string, service: string, is: Presence) => void
  readonly onMail: (engine: string, mail: Mail) => void
  readonly onError: (error: unknown) => void
}

/** Mail as it is kept. */
interface Letter {
  readonly from: string
  readonly mail: Mail
}

/** An engine is dead when it was not heard of for so many beats. */
const DEAD_BEATS = 3
/** The key of what says that a service has a socket. */
const SOCKET = "socket"
/** After so many beats everything is looked at, as if a name had been lost on its way. */
const SELDOM = 12
/** Messages may have 10 MiB each. */
const MAIL_AT_ONCE = 20
const DIGITS = 12

/**
 * The engines on one store: which of them live, which services have sockets there, and what they tell each other. All of it
 * is in the store, and whoever it is for is told by the store's own notification: nobody looks for it over and over.
 */
export class Engines {
  readonly #options: EnginesOptions
  readonly #beats: Records
  readonly #presence: Records
  readonly #mail: Records
  readonly #place: Namespace
  readonly #end = new AbortController()
  /** The others, and the services that have sockets there. */
  readonly #others = new Map<string, Set<string>>()
  /** Services with sockets here. */
  readonly #here = new Set<string>()
  /** What is being written of a service's sockets here. */
  readonly #writing = new Map<string, Promise<void>>()
  /** What is to be told to other engines; an empty list while the last of it is being written. */
  readonly #outgoing = new Map<string, Mail[]>()
  /** Services of which that failed. */
  #unsaid = new Set<string>()
  readonly #read = this.#oneAtATime(() => this.#readMail())
  readonly #refresh = this.#oneAtATime(() => this.#lookAtAll())
  #id = randomId()
  #version = 0
  #sent = 0
  #work: Promise<unknown> = Promise.resolve()

  constructor(options: EnginesOptions) {
    const { store, root } = options
    this.#options = options
    this.#beats = store.records("plan-engines")
    this.#presence = store.records("plan-connections")
    this.#mail = store.records("plan-mail")
    this.#place = root.child("engines")
  }

  /** Says that this one is there, and finds the others. @throws StoreError. */
  async join(): Promise<void> {
    this.#version = await this.#beats.put(this.#place, this.#id, true)
    await this.#lookAtAll()
    this.#work = Promise.all([this.#listen(), this.#watch()])
  }

  /** Ends what this one does, and takes away what it has in the store. Never rejects. */
  async leave(): Promise<void> {
    this.#end.abort()
    await this.#work
    await Promise.all(this.#writing.values())
    try {
      await this.#remove(this.#id, this.#version)
    } catch (error) {
      // The others find it dead.
      this.#options.onError(error)
    }
  }

  /** Tells the others whether a service has a socket here. */
  present(service: string, isHere: boolean): void {
    if (this.#end.signal.aborted) return
    if (isHere) this.#here.add(service)
    else this.#here.delete(service)
    const before = this.#writing.get(service) ?? Promise.resolve()
    const written = before.then(() => this.#writePresence(service))
    this.#writing.set(service, written)
    void written.then(() => {
      if (this.#writing.get(service) === written) this.#writing.delete(service)
    })
  }

  /** @returns false when there is no such engine any more: nobody would read it. */
  tell(engine: string, mail: Mail): boolean {
    if (!this.#others.has(engine)) return false
    const waiting = this.#outgoing.get(engine)
    if (waiting) waiting.push(mail)
    else {
      this.#outgoing.set(engine, [mail])
      void this.#send(engine)
    }
    return true
  }

  tellAll(mail: Mail): void {
    for (const engine of this.#others.keys()) this.tell(engine, mail)
  }

  /** In the order it was told: what comes meanwhile goes along with what is next. */
  async #send(engine: string): Promise<void> {
    const place = this.#place.child(engine)
    for (;;) {
      const mails = this.#outgoing.get(engine) ?? []
      if (mails.length === 0) break
      this.#outgoing.set(engine, [])
      const letters = mails.map((mail) => {
        const key = `${this.#id} ${String(++this.#sent).padStart(DIGITS, "0")}`
        return { namespace: place, key, value: { from: this.#id, mail } as unknown as Json }
      })
      try {
        await this.#mail.write(letters)
        this.#options.store.announce(place)
      } catch (error) {
        // What is asked is asked again when nothing is heard.
        this.#report(error)
      }
    }
    this.#outgoing.delete(engine)
  }

  async #writePresence(service: string): Promise<void> {
    const place = this.#place.child(this.#id, service)
    try {
      if (this.#here.has(service)) await this.#presence.put(place, SOCKET, true)
      else await this.#presence.delete(place, SOCKET)
      this.#options.store.announce(place)
    } catch (error) {
      this.#unsaid.add(service)
      this.#report(error)
    }
  }

  async #listen(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      try {
        for await (const namespace of this.#options.store.changes(signal)) {
          if (!namespace) this.#refresh()
          else if (this.#place.contains(namespace)) this.#changed(namespace).catch(this.#report)
        }
        return
      } catch (error) {
        this.#report(error)
        await this.#pause()
      }
    }
  }

  async #changed(namespace: Namespace): Promise<void> {
    const [engine = "", service] = namespace.segments.slice(this.#place.segments.length)
    if (engine === this.#id) this.#read()
    else if (service === undefined) {
      if (!(await this.#beats.get(this.#place, engine))) this.#forget(engine)
    } else {
      const record = await this.#presence.get(namespace, SOCKET)
      this.#set(engine, service, record !== undefined)
    }
  }

  /** Says from time to time that this one lives, and looks whether the others do. */
  async #watch(): Promise<void> {
    const { signal } = this.#end
    for (let count = 1; ; count++) {
      await this.#pause()
      if (signal.aborted) return
      try {
        await this.#beat()
        for (const service of this.#unsaid) this.present(service, this.#here.has(service))
        this.#unsaid = new Set()
        if (count % SELDOM === 0) this.#refresh()
        else await this.#living()
        this.#read()
      } catch (error) {
        this.#report(error)
      }
    }
  }

  async #beat(): Promise<void> {
    try {
      this.#version = await this.#beats.put(this.#place, this.#id, true, { expected: this.#version })
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      // The others took it for dead, and may still be removing what it had said: it begins again as another one.
      this.#id = randomId()
      this.#version = await this.#beats.put(this.#place, this.#id, true)
      for (const service of this.#here) this.present(service, true)
    }
  }

  /** Which of the others live. Those that do not are removed. */
  async #living(): Promise<ReadonlySet<string>> {
    const { store, beatMs } = this.#options
    const oldest = (await store.now()) - DEAD_BEATS * beatMs
    const living = new Set<string>()
    for await (const { key, version, updatedAt } of everyItem((page) =>
      this.#beats.list(this.#place, page),
    )) {
      if (key === this.#id) continue
      if (updatedAt >= oldest) living.add(key)
      else await this.#bury(key, version)
    }
    for (const engine of this.#others.keys()) if (!living.has(engine)) this.#forget(engine)
    for (const engine of living) this.#servicesOf(engine)
    return living
  }

  async #bury(engine: string, version: number): Promise<void> {
    try {
      await this.#remove(engine, version)
    } catch (error) {
      // It lives, or somebody else does it.
      if (!(error instanceof VersionConflict)) throw error
    }
  }

  async #remove(engine: string, expected: number): Promise<void> {
    if (!(await this.#beats.delete(this.#place, engine, { expected }))) return
    await this.#clear(engine)
    this.#options.store.announce(this.#place.child(engine))
  }

  async #clear(engine: string): Promise<void> {
    for (const records of [this.#presence, this.#mail]) await cleared(records, this.#place.child(engine))
  }

  async #lookAtAll(): Promise<void> {
    const found = new Map<string, Set<string>>()
    for await (const { namespace } of everyItem((page) =>
      this.#presence.list(this.#place, { ...page, below: true }),
    )) {
      const [engine = "", service = ""] = namespace.segments.slice(this.#place.segments.length)
      const services = found.get(engine) ?? new Set()
      found.set(engine, services.add(service))
    }
    // After that: whoever has said something of itself has said before that it lives.
    const living = await this.#living()
    for (const engine of found.keys())
      if (engine !== this.#id && !living.has(engine)) await this.#clear(engine)
    for (const engine of living) {
      const services = found.get(engine) ?? new Set()
      for (const service of services) this.#set(engine, service, true)
      for (const service of this.#servicesOf(engine))
        if (!services.has(service)) this.#set(engine, service, false)
    }
    await this.#readMail()
  }

  async #readMail(): Promise<void> {
    const own = this.#place.child(this.#id)
    for (;;) {
      const { items } = await this.#mail.list(own, { limit: MAIL_AT_ONCE })
      if (items.length === 0) return
      for (const { value } of items) {
        const { from, mail } = value as unknown as Letter
        // One that came a moment ago may not have been seen yet: it is answered all the same.
        this.#servicesOf(from)
        this.#options.onMail(from, mail)
      }
      await this.#mail.write(items.map(({ namespace, key }) => ({ namespace, key, deleted: true })))
    }
  }

  #servicesOf(engine: string): Set<string> {
    const known = this.#others.get(engine) ?? new Set()
    this.#others.set(engine, known)
    return known
  }

  #set(engine: string, service: string, isThere: boolean): void {
    const services = this.#servicesOf(engine)
    if (services.has(service) === isThere) return
    if (isThere) services.add(service)
    else services.delete(service)
    this.#options.onPresence(engine, service, isThere ? "there" : "away")
  }

  #forget(engine: string): void {
    const services = this.#others.get(engine) ?? []
    this.#others.delete(engine)
    for (const service of services) this.#options.onPresence(engine, service, "lost")
  }

  /** Does the work, and again when that is asked for meanwhile. */
  #oneAtATime(work: () => Promise<void>): () => void {
    let state: "idle" | "working" | "again" = "idle"
    const go = async (): Promise<void> => {
      do {
        state = "working"
        await work().catch(this.#report)
      } while ((state as string) === "again")
      state = "idle"
    }
    return () => {
      if (state === "idle") void go()
      else state = "again"
    }
  }

  /** What fails because this one ends is nobody's concern. */
  readonly #report = (error: unknown): void => {
    if (!this.#end.signal.aborted) this.#options.onError(error)
  }

  async #pause(): Promise<void> {
    const { signal } = this.#end
    await pause(this.#options.beatMs, undefined, { signal }).catch(() => {})
  }
}

async function cleared(records: Records, prefix: Namespace): Promise<void> {
  for (;;) {
    const { items } = await records.list(prefix, { below: true, limit: 500 })
    if (items.length === 0) return
    await records.write(items.map(({ namespace, key }) => ({ namespace, key, deleted: true })))
  }
}
