import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Entry, Namespace, RunEvent, RunResult, SessionStore, Submission } from "@orra/core"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { startChild } from "@orra/testing/process"
import { afterAll, beforeAll, vi } from "vitest"
import { ACME, type Command, type PeerOptions, type Reply } from "./peer.child.ts"
import { postgresStore } from "./postgres-store.ts"
import { sqliteStore } from "./sqlite-store.ts"

type Told<T = Command> = T extends unknown ? Omit<T, "op" | "session"> : never

/** A process of its own with a runtime. */
export interface Peer {
  tell<T = unknown>(session: Namespace, what: Told): Promise<T>
  /** What it said unasked, so far. */
  readonly said: readonly Reply[]
  /** The events of everything it follows, so far. */
  readonly events: readonly RunEvent[]
  kill(): Promise<void>
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly complaint: string }>
}

export const WAIT = { timeout: 30_000 } as const

export interface World {
  readonly store: () => SessionStore
  /** Starts a process. It ends with the tests. */
  start(options: Omit<PeerOptions, "place">): Promise<Peer>
  /** A session of its own for each test. */
  session(...segments: readonly string[]): Namespace
  entries<T extends Entry["type"]>(session: Namespace, type: T): Promise<readonly Entry<T>[]>
}

/** The processes share a PostgreSQL server, or a file. */
export function world(kind: "PostgreSQL" | "SQLite"): World {
  const folder = mkdtempSync(join(tmpdir(), "orra-peers-"))
  let server: PostgresServer | undefined
  let place = join(folder, "orra.db")
  let store: SessionStore | undefined
  beforeAll(async () => {
    if (kind === "PostgreSQL") {
      // Processes are killed here, not the machine.
      server = await postgresServer({ durable: false })
      place = server.url
      store = await postgresStore({ url: place, maxConnections: 2 })
    } else store = await sqliteStore({ path: place })
  }, 120_000)
  const peers: Peer[] = []
  afterAll(async () => {
    await Promise.all(peers.map(({ kill }) => kill()))
    await store?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const open = (): SessionStore => {
    if (!store) throw new Error("not open yet")
    return store
  }
  let sessions = 0
  return {
    store: open,
    start: async (options) => {
      const peer = await started({ ...options, place })
      peers.push(peer)
      return peer
    },
    session: (...segments) => ACME.child(...segments, `s${++sessions}`),
    entries: async (session, type) =>
      (await open().read(session, { types: [type] })) as readonly Entry<typeof type>[],
  }
}

async function started(options: PeerOptions): Promise<Peer> {
  const said: Reply[] = []
  const events: RunEvent[] = []
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<void>()
  const child = startChild<Reply>(
    new URL("./peer.child.ts", import.meta.url),
    [JSON.stringify(options)],
    (reply) => {
      if (reply.type === "ready") ready.resolve()
      else if (reply.type === "ok") waiting.get(reply.op)?.resolve(reply.value)
      else if (reply.type === "failed") waiting.get(reply.op)?.reject(new Error(`${reply.op} ${reply.code}`))
      else if (reply.type === "event") events.push(reply.event)
      else if (reply.type === "trouble") console.error(options.name, reply.message)
      else said.push(reply)
    },
  )
  child.ended.then(({ complaint }) => {
    const error = new Error(`The process ended. ${complaint}`)
    ready.reject(error)
    for (const { reject } of waiting.values()) reject(error)
  })
  let ops = 0
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL")
    await child.ended
  }
  await ready.promise
  return {
    said,
    events,
    kill,
    ended: child.ended,
    tell: <T>(session: Namespace, what: Told) => {
      const op = ++ops
      const answer = Promise.withResolvers<unknown>()
      // Of what a killed process was told nobody may want to hear.
      answer.promise.catch(() => {})
      waiting.set(op, answer)
      child.tell({ ...what, op, session: session.key })
      return answer.promise as Promise<T>
    },
  }
}

export const asked = (peer: Peer, what: string): Promise<void> => hears([peer], "asked", what)
export const askedByOne = (peers: readonly Peer[], what: string): Promise<void> => hears(peers, "asked", what)
export const executed = (peer: Peer, what: string): Promise<void> => hears([peer], "executed", what)

/** Waits until one of the processes has said so. */
const hears = (peers: readonly Peer[], type: "asked" | "executed", what: string): Promise<void> =>
  vi.waitFor(() => {
    const said = peers.flatMap((peer) => peer.said)
    if (!said.some((reply) => reply.type === type && "what" in reply && reply.what.startsWith(what)))
      throw new Error(`not yet ${type}: ${what}`)
  }, WAIT)

export const run = (peer: Peer, session: Namespace, text: string, options = {}): Promise<RunResult> =>
  peer.tell(session, { do: "run", text, options })
export const submit = (peer: Peer, session: Namespace, text: string, options = {}): Promise<Submission> =>
  peer.tell(session, { do: "submit", text, options })
