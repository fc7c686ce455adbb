// The figures of packages/stores/sql/README.md: `node --conditions=@orra/source benchmarks/store-sql.ts [folder]`.
// The folder decides which disk is measured; default is the system's temporary one.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Lease, Namespace, type NewEntry } from "@orra/core"
import { type SqliteStore, sqliteStore } from "@orra/store-sql"

const HOUR = 3_600_000
const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), "orra-bench-"))
try {
  await appends("one session, one append of 1 KB at a time", 1, 2_000, 1_000)
  await appends("500 sessions in flight, appends of 1 KB", 500, 40, 1_000)
  await appends("500 sessions in flight, appends of 100 bytes", 500, 40, 100)
  await reads()
  await lists()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function appends(what: string, sessions: number, each: number, bytes: number): Promise<void> {
  await withStore(async (store) => {
    const times: number[] = []
    const leases = await Promise.all(sessionNames(sessions).map((ns) => hold(store, ns)))
    const started = performance.now()
    await Promise.all(
      leases.map(async (lease) => {
        for (let expected = 0; expected < each; expected++) {
          const before = performance.now()
          await store.append(lease.namespace, [delta(bytes)], { expected, lease })
          times.push(performance.now() - before)
        }
      }),
    )
    const perSecond = (sessions * each * 1_000) / (performance.now() - started)
    report(what, `${Math.round(perSecond)} appends/s, each durable`, times)
  })
}

async function reads(): Promise<void> {
  for (const entries of [100, 100_000]) {
    await withStore(async (store) => {
      const lease = await hold(store, Namespace.of("bench"))
      for (let expected = 0; expected < entries; expected += 100) {
        const batch = Array.from({ length: 100 }, (_, index) =>
          index % 100 === 0 ? message(500) : delta(500),
        )
        await store.append(lease.namespace, batch, { expected, lease })
      }
      const last = { direction: "backward", limit: 50 } as const
      report(`last 50 of ${entries} entries`, "", await timed(() => store.read(lease.namespace, last)))
      const types = { ...last, types: ["user", "assistant", "compaction"] } as const
      report(
        `last 50 messages of ${entries} entries`,
        "",
        await timed(() => store.read(lease.namespace, types)),
      )
    })
  }
}

async function lists(): Promise<void> {
  await withStore(async (store) => {
    const sessions = 10_000
    await Promise.all(
      Array.from({ length: sessions }, (_, index) =>
        store.append(
          Namespace.of("tenant", `${index % 2}`, `${index}`),
          [{ type: "meta", at: index, patch: { title: `Conversation ${index}` } }],
          { expected: 0 },
        ),
      ),
    )
    const prefix = Namespace.of("tenant", "1")
    report("first 50 of one tenant's 5,000 sessions", "", await timed(() => store.list(prefix)))
    report("title search in them", "", await timed(() => store.list(prefix, { title: "ION 7" })))
  })
}

async function withStore(work: (store: SqliteStore) => Promise<void>): Promise<void> {
  const path = join(folder, `${crypto.randomUUID()}.db`)
  const store = await sqliteStore({ path })
  try {
    await work(store)
  } finally {
    await store.close()
    rmSync(path, { force: true })
  }
}

async function timed(work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < 300; round++) {
    const before = performance.now()
    await work()
    times.push(performance.now() - before)
  }
  return times
}

function report(what: string, rate: string, times: number[]): void {
  times.sort((a, b) => a - b)
  const at = (share: number) => `${(times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(3)} ms`
  console.log(`${what}: ${rate && `${rate}, `}median ${at(0.5)}, p99 ${at(0.99)}`)
}

function sessionNames(count: number): Namespace[] {
  return Array.from({ length: count }, (_, index) =>
    Namespace.of("tenant", `${index % 10}`, "session", `${index}`),
  )
}

async function hold(store: SqliteStore, namespace: Namespace): Promise<Lease> {
  const lease = await store.acquire(namespace, "bench", HOUR)
  if (!lease) throw new Error("The lease is taken.")
  return lease
}

function delta(bytes: number): NewEntry {
  const pieces = [{ type: "text", text: "x".repeat(bytes) }] as const
  return { type: "delta", at: Date.now(), runId: "run", messageId: "message", pieces }
}

function message(bytes: number): NewEntry {
  const parts = [{ type: "text", text: "x".repeat(bytes) }] as const
  return { type: "user", at: Date.now(), message: { role: "user", parts } }
}
