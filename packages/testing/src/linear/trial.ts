import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { everyItem, type SessionStore } from "@orra/core"
import { naiveQueue } from "../fuzz/checks.ts"
import { historyProblems, type SettledSession } from "./check.ts"
import { Clients } from "./clients.ts"
import { Fleet } from "./fleet.ts"
import { historyWriter, readHistory } from "./history.ts"
import { type Random, random } from "./random.ts"
import { LEASE_MS } from "./serve.ts"
import { ROOT, sessionOf } from "./world.ts"

/** Something that goes wrong in the middle of a trial. */
export interface Trouble {
  readonly name: string
  readonly cause: () => Promise<void>
}

export interface TrialOptions {
  /** What each process runs: it opens the store and calls `serveTrial`. */
  readonly module: URL
  /** Its first argument, which says where the store is; then come the history's path and the process's name. */
  readonly place: string
  /** The same store, to see in the end what is in it. */
  readonly store: SessionStore
  readonly processes: number
  readonly sessions: number
  readonly messages: number
  /** How often a process is killed, and how often one is held for longer than its leases last. */
  readonly kills: number
  readonly holds: number
  readonly troubles?: readonly Trouble[]
  readonly seed: number
}

export interface TrialReport {
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[]
  /** The file that tells all that happened. */
  readonly history: string
  readonly counts: Readonly<Record<string, number>>
}

/** As long as everything may take to come to rest. */
const REST_MS = 240_000

/**
 * Processes that share a store serve clients while they are killed, held and whatever else `troubles` does; then
 * everything comes to rest, and what was told and done is compared with what is in the store.
 */
export async function trial(options: TrialOptions): Promise<TrialReport> {
  const { module, place, store, processes, sessions, messages, seed } = options
  const history = join(mkdtempSync(join(tmpdir(), "orra-trial-")), "history.jsonl")
  const write = historyWriter(history)
  const problems: string[] = []
  const fleet = new Fleet(module, (name) => [place, history, name], processes, problems)
  const clients = new Clients({ fleet, write, processes, sessions, messages, seed, problems })
  try {
    await Promise.all([clients.work(3 * processes), trouble(options, fleet, clients, random(seed))])
    problems.push(...(await atRest(store, clients, sessions)))
    // And each of them goes on.
    await clients.sayGoodbye()
    problems.push(...(await atRest(store, clients, sessions)))
    await fleet.close()
  } finally {
    await fleet.end()
  }
  const settled = await Promise.all(Array.from({ length: sessions }, (_, index) => lookAt(store, index)))
  const events = readHistory(history)
  const count = (type: string): number => events.filter((event) => event.type === type).length
  return {
    problems: [
      ...problems,
      ...historyProblems(
        events,
        settled.filter(({ info }) => info),
      ),
    ],
    history,
    counts: {
      asked: count("invoke"),
      ok: count("ok"),
      fail: count("fail"),
      unknown: count("unknown"),
      effects: count("effect"),
      writes: count("written"),
      entries: settled.reduce((sum, { info }) => sum + (info?.version ?? 0), 0),
    },
  }

  async function trouble(
    { kills, holds, troubles = [] }: TrialOptions,
    fleet: Fleet,
    clients: Clients,
    random: Random,
  ): Promise<void> {
    const all: Trouble[] = [
      ...Array.from({ length: kills }, () => ({
        name: "kill",
        cause: async () => void (await fleet.kill(random.below(processes))),
      })),
      ...Array.from({ length: holds }, () => ({
        name: "hold",
        cause: async () => void (await fleet.hold(random.below(processes), () => setTimeout(1.5 * LEASE_MS))),
      })),
      ...troubles,
    ]
    for (const [index, { name, cause }] of random.shuffled(all).entries()) {
      await clients.after(((index + random.next()) * messages) / all.length)
      write({ type: "trouble", what: name })
      await cause()
    }
  }
}

const lookAt = async (store: SessionStore, index: number): Promise<SettledSession> => {
  const namespace = sessionOf(index)
  const [info, entries] = [await store.info(namespace), await store.read(namespace, { limit: 1_000_000 })]
  return { namespace, info, entries }
}

/** Decides what waits for a decision until no run is open and no message waits. @returns what does not come to rest. */
async function atRest(store: SessionStore, clients: Clients, sessions: number): Promise<readonly string[]> {
  const until = performance.now() + REST_MS
  for (;;) {
    await clients.decide()
    const open: string[] = []
    for await (const { namespace } of everyItem((page) => store.list(ROOT, { openRun: true, ...page }))) {
      open.push(`${namespace.key}: its run never ends.`)
    }
    for (let index = 0; index < sessions && open.length === 0; index++) {
      const { namespace, entries } = await lookAt(store, index)
      const [first] = naiveQueue(entries)
      if (first) open.push(`${namespace.key}: the message ${first.inputId} waits, and nobody takes it.`)
    }
    if (open.length === 0)
      open.push(...clients.unanswered.map((question) => `${question} is never answered.`))
    if (open.length === 0 || performance.now() > until) return open
    await setTimeout(100)
  }
}
