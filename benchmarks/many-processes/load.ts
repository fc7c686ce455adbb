// What the processes of the benchmark do: turns in many sessions at once.

import { Namespace, NO_USAGE, type Provider, Runtime } from "@orra/core"
import { postgresStore } from "@orra/store-sql"
import { heard, say } from "@orra/testing/process"
import pg from "pg"
import type { Template } from "./recording.ts"

export const CONNECTIONS = 10

/** What a process says: that it may be told to begin, and what its turns took. */
export type Word = "ready" | { readonly cpuMs: number }

/** Answers at once. */
export const provider: Provider = {
  id: "instant",
  model: "instant",
  async *stream() {
    yield {
      type: "done",
      message: { role: "assistant", parts: [{ type: "text", text: "a".repeat(900) }] },
      finishReason: "stop",
      usage: NO_USAGE,
    }
  },
}

export const QUESTION = "q".repeat(600)

export const sessionKey = (index: number): string => Namespace.of("tenant", "bench", `${index}`).key

/** So many turns in each of the sessions, by a runtime. */
export async function takeTurns(url: string, sessions: readonly number[], turns: number): Promise<void> {
  const store = await postgresStore({ url, maxConnections: CONNECTIONS })
  const runtime = new Runtime({ provider, store })
  const namespaces = sessions.map((index) => Namespace.parse(sessionKey(index)))
  await repeat(
    turns,
    namespaces.map((namespace) => async () => void (await runtime.run(namespace, QUESTION))),
  )
  await runtime.close()
  await store.close()
}

/** The statements of such turns, by the driver: each connection takes its sessions one after the other. */
export async function replay(
  url: string,
  sessions: readonly number[],
  turns: number,
  turn: readonly (readonly Template[])[],
): Promise<void> {
  const clients = Array.from(
    { length: CONNECTIONS },
    () => new pg.Client({ connectionString: url, options: "-c search_path=orra" }),
  )
  await Promise.all(clients.map((client) => client.connect()))
  await repeat(
    turns,
    clients.map((client, place) => {
      const mine = sessions.filter((_, index) => index % CONNECTIONS === place)
      let done = 0
      return async () => {
        done++
        for (const session of mine) await sendTurn(client, turn, sessionKey(session), done)
      }
    }),
  )
  await Promise.all(clients.map((client) => client.end()))
}

async function sendTurn(
  client: pg.Client,
  turn: readonly (readonly Template[])[],
  session: string,
  turns: number,
): Promise<void> {
  let lease: string | null = null
  for (const trip of turn) {
    const together = new Together(
      trip.map(({ name, text, parameters }) => ({
        name,
        text,
        values: parameters.map((parameter) => {
          if (parameter.type === "session") return session
          if (parameter.type === "lease") return lease
          if (parameter.type === "number") return String(parameter.value + parameter.step * turns)
          return parameter.value
        }),
      })),
    )
    const number = await client.query(together).done
    if (trip.some(({ text }) => text.includes("nextval"))) lease = number
  }
}

const prepared = new WeakMap<pg.Connection, Set<string>>()

/** Statements in one round trip. */
class Together implements pg.Submittable {
  readonly #statements: readonly { name: string; text: string; values: readonly (string | null)[] }[]
  readonly #end = Promise.withResolvers<string | null>()
  #last: string | null = null

  constructor(statements: readonly { name: string; text: string; values: readonly (string | null)[] }[]) {
    this.#statements = statements
  }

  /** The first column of the last row. */
  get done(): Promise<string | null> {
    return this.#end.promise
  }

  submit(connection: pg.Connection): void {
    const known = prepared.get(connection) ?? new Set()
    prepared.set(connection, known)
    connection.stream.cork()
    for (const { name, text, values } of this.#statements) {
      if (!known.has(name)) connection.parse({ name, text, types: [] }, true)
      if (name !== "") known.add(name)
      connection.bind({ statement: name, values: [...values] }, true)
      connection.execute(null, true)
    }
    connection.sync()
    connection.stream.uncork()
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    this.#last = fields[0] ?? null
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#end.resolve(this.#last)
  }

  handleError(error: unknown): void {
    this.#end.reject(error)
  }
}

/** Does all of it at once: once to warm up, and so many times from when it is told to. Says how much CPU that took. */
async function repeat(times: number, work: readonly (() => Promise<void>)[]): Promise<void> {
  await Promise.all(work.map((once) => once()))
  await say("ready" satisfies Word)
  for await (const _ of heard<"begin">()) break
  const before = process.cpuUsage()
  await Promise.all(
    work.map(async (once) => {
      for (let time = 0; time < times; time++) await once()
    }),
  )
  const { user, system } = process.cpuUsage(before)
  await say({ cpuMs: (user + system) / 1_000 } satisfies Word)
}
