import {
  type EntryType,
  type Lease,
  Namespace,
  type NewEntry,
  type SessionStore,
  userMessage,
} from "@orra/core"
import { expect, onTestFinished } from "vitest"
import { type VirtualClock, virtualClock } from "../virtual-clock.ts"

/** Makes an empty store whose leases expire by `now`. */
export type MakeStore = (options: { readonly now: () => number }) => SessionStore | Promise<SessionStore>

export interface Fixture {
  readonly store: SessionStore
  readonly clock: VirtualClock
  readonly ns: Namespace
  /** Held for the session `ns`, for an hour. */
  readonly lease: Lease
}

export const HOUR = 3_600_000

/** A new store for one test, closed when the test is over. */
export async function fixture(makeStore: MakeStore): Promise<Fixture> {
  const clock = virtualClock()
  const store = await makeStore({ now: clock.now })
  onTestFinished(() => store.close())
  const ns = Namespace.of("tenant", "acme", "user", "bob")
  return { store, clock, ns, lease: await hold(store, ns) }
}

export async function hold(store: SessionStore, ns: Namespace, owner = "test", ttlMs = HOUR): Promise<Lease> {
  const lease = await store.acquire(ns, owner, ttlMs)
  expect(lease).toBeDefined()
  return lease as Lease
}

export const user = (text: string, at = 1_000): NewEntry<"user"> => ({
  type: "user",
  at,
  message: userMessage(text),
})

export const delta = (text: string, at = 1_000): NewEntry<"delta"> => ({
  type: "delta",
  at,
  runId: "r",
  messageId: "m",
  pieces: [{ type: "text", text }],
})

export const assistant = (text: string, at = 1_000): NewEntry<"assistant"> => ({
  type: "assistant",
  at,
  runId: "r",
  messageId: "m",
  message: { role: "assistant", parts: [{ type: "text", text }] },
  status: "complete",
})

export const started = (runId: string, at = 1_000): NewEntry<"run_started"> => ({
  type: "run_started",
  at,
  runId,
})

export const finished = (runId: string, at = 1_000): NewEntry<"run_finished"> => ({
  type: "run_finished",
  at,
  runId,
  outcome: "completed",
  usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
})

export const meta = (patch: NewEntry<"meta">["patch"], at = 1_000): NewEntry<"meta"> => ({
  type: "meta",
  at,
  patch,
})

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The numbers of the entries a read gives. */
export async function seqs(
  store: SessionStore,
  ns: Namespace,
  options: {
    readonly after?: number
    readonly before?: number
    readonly limit?: number
    readonly direction?: "forward" | "backward"
    readonly types?: readonly EntryType[]
  } = {},
): Promise<number[]> {
  return (await store.read(ns, options)).map((entry) => entry.seq)
}

/** What `read` and `info` give together: to see that a refused call changed nothing. */
export async function contents(store: SessionStore, ns: Namespace): Promise<unknown> {
  return { info: await store.info(ns), entries: await store.read(ns, { limit: 1_000_000 }) }
}
