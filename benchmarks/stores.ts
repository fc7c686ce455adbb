// What stores cost beside the bare driver, and whether history counts: `node --conditions=@orra/source benchmarks/stores.ts
// [sqlite,file,postgres] [folder]`. The folder decides which disk is measured; default is the system's temporary one.

import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Lease, Namespace, type NewEntry, NO_USAGE, type SessionStore, userMessage } from "@orra/core"
import { fileStore } from "@orra/store-file"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { postgresServer } from "@orra/testing/postgres"
import pg from "pg"

const HOUR = 3_600_000
/** Enough for the logs to have been through a checkpoint: until then each commit makes its file longer. */
const ROUNDS = 3_000
const STRETCH = 100
const QUICK = 0.1
const SESSIONS = 100_000
const LONG = 100_000

/** The four entries of a turn: some 2 kB. */
const TURN: readonly NewEntry[] = [
  { type: "user", at: 1, message: userMessage("q".repeat(600)), inputId: "input" },
  { type: "run_started", at: 1, runId: "run", model: "a-model" },
  {
    type: "assistant",
    at: 1,
    runId: "run",
    messageId: "message",
    message: { role: "assistant", parts: [{ type: "text", text: "a".repeat(900) }] },
    status: "complete",
  },
  { type: "run_finished", at: 1, runId: "run", outcome: "completed", usage: NO_USAGE },
]
const ROWS = TURN.map((entry) => JSON.stringify(entry))

/** A store, and its driver alone writing the same bytes of a turn, durably. */
interface Subject {
  readonly store: SessionStore
  /** The same, which writes its audit as well. */
  readonly audited?: SessionStore
  readonly bare: (seq: number) => Promise<void> | void
  /** Bytes on disk; undefined where that is the server's affair. */
  readonly size: () => number | undefined
  /** Does at once what the server does by itself within a minute: sees what has become of its tables. */
  readonly settle?: () => Promise<unknown>
  readonly close: () => Promise<void>
}

const subjects: Readonly<Record<string, (folder: string) => Promise<Subject>>> = {
  async sqlite(folder) {
    const path = join(folder, "orra.db")
    const store = await sqliteStore({ path })
    const audited = await sqliteStore({ path: join(folder, "audited.db"), audit: true })
    const database = new DatabaseSync(join(folder, "bare.db"))
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    database.exec("CREATE TABLE entries (ns TEXT, seq INTEGER, type TEXT, body TEXT, PRIMARY KEY (ns, seq))")
    const insert = database.prepare("INSERT INTO entries VALUES (?, ?, ?, ?)")
    return {
      store,
      audited,
      bare(seq) {
        database.exec("BEGIN IMMEDIATE")
        for (const [index, body] of ROWS.entries()) insert.run("tenant:bench", seq + index, "user", body)
        database.exec("COMMIT")
      },
      // Without the write-ahead log, which is as large as it ever was.
      size: () => statSync(path).size,
      async close() {
        database.close()
        await store.close()
        await audited.close()
      },
    }
  },
  async file(folder) {
    const path = join(folder, "sessions")
    const store = await fileStore({ path })
    const file = await open(join(folder, "bare.jsonl"), "a")
    return {
      store,
      async bare() {
        await file.write(`${ROWS.join("\n")}\n`)
        await file.datasync()
      },
      size: () => sizeOf(path),
      async close() {
        await file.close()
        await store.close()
      },
    }
  },
  async postgres() {
    const server = await postgresServer()
    const store = await postgresStore({ url: server.url })
    const audited = await postgresStore({ url: server.url, schema: "audited", audit: true })
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query("CREATE TABLE bare (ns text, seq bigint, type text, body text, PRIMARY KEY (ns, seq))")
    return {
      store,
      audited,
      async bare(seq) {
        const values = ROWS.flatMap((body, index) => ["tenant:bench", seq + index, "user", body])
        await client.query("BEGIN")
        await client.query({
          name: "bare",
          text: "INSERT INTO bare VALUES ($1,$2,$3,$4),($5,$6,$7,$8),($9,$10,$11,$12),($13,$14,$15,$16)",
          values,
        })
        await client.query("COMMIT")
      },
      size: () => undefined,
      settle: () => client.query("ANALYZE"),
      async close() {
        await client.end()
        await store.close()
        await audited.close()
        await server.stop()
      },
    }
  },
}

const [chosen = Object.keys(subjects).join(), base = tmpdir()] = process.argv.slice(2)
for (const name of chosen.split(",")) {
  const make = subjects[name]
  if (!make) throw new Error(`There is no store "${name}": choose of ${Object.keys(subjects).join(", ")}.`)
  const folder = mkdtempSync(join(base, "orra-stores-"))
  const subject = await make(folder)
  console.log(`\n${name}`)
  try {
    await appends(subject)
    await windows(subject)
    await lists(subject)
  } finally {
    await subject.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function appends({ store, audited, bare }: Subject): Promise<void> {
  const session = Namespace.of("tenant", "bench")
  const turnTo = async (to: SessionStore): Promise<(round: number) => Promise<unknown>> => {
    const lease = await hold(to, session)
    return (round) => to.append(session, TURN, { expected: round * TURN.length, lease })
  }
  const times = await sideBySide(ROUNDS, {
    ours: await turnTo(store),
    theirs: (round) => bare(round * TURN.length + 1),
    withAudit: audited ? await turnTo(audited) : () => {},
  })
  const { ours, theirs, withAudit } = times
  say("append of a turn, durable", ours, `${ratio(ours, theirs)} the bare driver (${ms(theirs, 0.5)})`)
  if (audited) say("the same with its audit", withAudit, `${ratio(withAudit, ours)} without`)
}

async function windows({ store, size }: Subject): Promise<void> {
  const before = size() ?? 0
  const last = { direction: "backward", limit: 50 } as const
  const filled = async (entries: number): Promise<() => Promise<unknown>> => {
    const lease = await hold(store, Namespace.of("tenant", `long-${entries}`))
    for (let expected = 0; expected < entries; expected += 1_000) {
      const batch = Array.from(
        { length: Math.min(1_000, entries) },
        (_, index) => TURN[index % 4] as NewEntry,
      )
      await store.append(lease.namespace, batch, { expected, lease })
    }
    return () => store.read(lease.namespace, last)
  }
  const reads = { short: await filled(100), long: await filled(LONG) }
  const entries = ((LONG + 100) / TURN.length) * ROWS.reduce((sum, row) => sum + Buffer.byteLength(row), 0)
  const after = size()
  if (after !== undefined) {
    console.log(`  bytes on disk: ${((after - before) / entries).toFixed(2)} times the bytes of the entries`)
  }
  const { short, long } = await sideBySide(ROUNDS, reads)
  say(
    `the last 50 of ${LONG.toLocaleString("en")} entries`,
    long,
    `${ratio(long, short)} those of 100 (${ms(short, 0.5)})`,
  )
}

async function lists({ store, settle }: Subject): Promise<void> {
  const tenant = Namespace.of("crowd")
  for (let from = 0; from < SESSIONS; from += 500) {
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => {
        const patch = { title: `Conversation ${from + index}` }
        const at = from + index
        return store.append(tenant.child(`${at}`), [{ type: "meta", at, patch }], { expected: 0 })
      }),
    )
  }
  await settle?.()
  const one = tenant.child(`${SESSIONS / 2}`)
  const { read, list } = await sideBySide(ROUNDS, {
    read: () => store.info(one),
    list: () => store.list(tenant),
  })
  say(
    `the newest 50 of ${SESSIONS.toLocaleString("en")} sessions`,
    list,
    `${ratio(list, read)} one read by its key (${ms(read, 0.5)})`,
  )
}

async function hold(store: SessionStore, namespace: Namespace): Promise<Lease> {
  const lease = await store.acquire(namespace, "bench", HOUR)
  if (!lease) throw new Error("The lease is taken.")
  return lease
}

/**
 * Times of each, done one after the other in every round, so that all meet the same disk and the same neighbours, and in
 * another order each time, so that none is always the one that comes after the slowest.
 */
async function sideBySide<Name extends string>(
  rounds: number,
  works: Readonly<Record<Name, (round: number) => unknown>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(works) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < names.length; place++) {
      const name = names[(round + place) % names.length] as Name
      const before = performance.now()
      await works[name](round)
      times[name].push(performance.now() - before)
    }
  }
  return times
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0
}

function ms(times: readonly number[], share: number): string {
  return `${quantile(times, share).toFixed(3)} ms`
}

/**
 * The median of the ratios of the medians in stretches of the same rounds, and how far half of them lie apart. Where
 * somebody else keeps the disk busy both wait for it and look alike: the ratio of the quickest tenths tells.
 */
function ratio(ours: readonly number[], theirs: readonly number[]): string {
  const ratios: number[] = []
  for (let from = 0; from < ours.length; from += STRETCH) {
    const [a, b] = [ours, theirs].map((times) => quantile(times.slice(from, from + STRETCH), 0.5))
    ratios.push((a ?? 0) / (b ?? 0))
  }
  const at = (share: number): string => quantile(ratios, share).toFixed(2)
  const quick = (quantile(ours, QUICK) / quantile(theirs, QUICK)).toFixed(2)
  return `${at(0.5)} times (half of the stretches ${at(0.25)} to ${at(0.75)}; the quickest tenth ${quick})`
}

function say(what: string, times: readonly number[], rest: string): void {
  console.log(`  ${what}: median ${ms(times, 0.5)}, p99 ${ms(times, 0.99)}, ${rest}`)
}

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  )
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
}
