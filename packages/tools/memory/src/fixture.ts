import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, Namespace, type SessionStore } from "@orra/core"
import type { Embedder } from "@orra/search"
import { fileStore } from "@orra/store-file"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { virtualClock } from "@orra/testing"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { afterAll, onTestFinished } from "vitest"
import { Memories, type MemoriesOptions, type Source } from "./index.ts"

export const ada = Namespace.of("house", "ada")
export const bob = Namespace.of("house", "bob")

export const byAda: Source = { outside: false, principal: "ada" }
export const byStranger: Source = { outside: true, session: "house:ada:chat", runId: "r", callId: "c" }

export type StoreName = "memory" | "file" | "sqlite" | "postgres"

let server: Promise<PostgresServer> | undefined
let schemas = 0

/** The stores that the tests of a file try. PostgreSQL only in the long run: it takes seconds to start, once for a file. */
export function stores(): readonly StoreName[] {
  if (!process.env["ORRA_TEST_FULL"]) return ["memory", "file", "sqlite"]
  // Files share this module: each stops what it has started.
  afterAll(async () => {
    const own = server
    server = undefined
    await (await own)?.stop()
  })
  return ["memory", "file", "sqlite", "postgres"]
}

export interface Place {
  readonly store: SessionStore
  readonly folder: string
}

export async function newStore(name: StoreName, now?: () => number): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "orra-memory-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const made = await storeOf(name, folder, now ? { now } : {})
  onTestFinished(() => made.close())
  return { store: made, folder }
}

async function storeOf(
  name: StoreName,
  folder: string,
  clock: { readonly now?: () => number },
): Promise<SessionStore> {
  switch (name) {
    case "memory":
      return new MemoryStore(clock)
    case "file":
      return await fileStore({ path: join(folder, "data"), ...clock })
    case "sqlite":
      return await sqliteStore({ path: join(folder, "orra.db"), ...clock })
    case "postgres": {
      server ??= postgresServer({ durable: false })
      return await postgresStore({ url: (await server).url, schema: `memory_${++schemas}`, ...clock })
    }
  }
}

/** Memories in a store of this kind, with a clock to turn. */
export async function newMemories(name: StoreName = "memory", options: MemoriesOptions = {}) {
  const clock = virtualClock()
  const place = await newStore(name, clock.now)
  const all: MemoriesOptions = { clock: clock.now, ...options }
  return { ...place, clock, options: all, memories: new Memories(place.store, all) }
}

/** What is recalled, best first. */
export async function recalled(
  memories: Memories,
  namespace: Namespace,
  query: string,
  options: Parameters<Memories["recall"]>[2] = {},
): Promise<readonly string[]> {
  const { memories: found } = await memories.recall(namespace, query, { limit: 50, ...options })
  return found.map(({ memory }) => memory.content)
}

export async function contents(memories: Memories, namespace: Namespace): Promise<readonly string[]> {
  const { items } = await memories.list(namespace, { limit: 500 })
  return items.map(({ content }) => content).sort()
}

/** Texts with the same words, whatever their order, mean the same; "feline" means cat. */
export function wordEmbedder(id = "words", dimensions = 64): Embedder & { down: boolean; calls: number } {
  const vectorOf = (text: string): readonly number[] => {
    const vector = new Array<number>(dimensions).fill(0)
    for (const word of text
      .toLowerCase()
      .replace("feline", "cat")
      .match(/\p{L}+/gu) ?? []) {
      const place = [...word].reduce((hash, char) => (hash * 31 + (char.codePointAt(0) ?? 0)) % dimensions, 7)
      vector[place] = (vector[place] ?? 0) + 1
    }
    return vector
  }
  return {
    id,
    down: false,
    calls: 0,
    async embed(texts) {
      this.calls++
      if (this.down) throw new Error("The service is down.")
      return texts.map(vectorOf)
    },
  }
}
