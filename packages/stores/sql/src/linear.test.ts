import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type TrialOptions, type Trouble, tcpProxy, trial } from "@orra/testing/linear"
import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { testServer } from "./fixture.ts"
import { postgresStore, sqliteStore } from "./index.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined
/** The long run looks for what nobody has seen; the short one asks the same of the processes each time. */
const SEED = Number(process.env["ORRA_SEED"] ?? (FULL ? Math.floor(Math.random() * 1e9) : 1))
const CHILD = new URL("./linear.child.ts", import.meta.url)
const SIZE = FULL
  ? { processes: 8, sessions: 200, messages: 2_000, kills: 60, holds: 10 }
  : { processes: 3, sessions: 8, messages: 40, kills: 3, holds: 1 }
/** How often each of the things happens that can happen to a server. */
const TIMES = FULL ? 5 : 1
const TIMEOUT = { timeout: FULL ? 1_800_000 : 300_000 }

const server = testServer({ durable: true })

async function sql(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server().url })
  await client.connect()
  await client.query(text)
  await client.end()
}

async function run(options: Pick<TrialOptions, "place" | "store" | "troubles">): Promise<void> {
  onTestFinished(() => options.store.close())
  const { problems, history, counts } = await trial({ ...SIZE, ...options, module: CHILD, seed: SEED })
  console.log(`ORRA_SEED=${SEED}`, counts)
  expect(problems, `The history is in ${history}`).toEqual([])
  rmSync(dirname(history), { recursive: true })
}

test("one SQLite file", TIMEOUT, async () => {
  const folder = mkdtempSync(join(tmpdir(), "orra-linear-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const place = join(folder, "orra.db")
  await run({ place, store: await sqliteStore({ path: place }) })
})

// At small size what goes wrong there goes wrong in the next one as well.
test.runIf(FULL)("PostgreSQL", TIMEOUT, async () => {
  await run({ place: server().url, store: await postgresStore({ url: server().url, maxConnections: 4 }) })
})

test("PostgreSQL that restarts and crashes, and connections that are cut", TIMEOUT, async () => {
  await sql("DROP SCHEMA IF EXISTS orra CASCADE")
  const url = new URL(server().url)
  const proxy = await tcpProxy(Number(url.port))
  onTestFinished(() => proxy.close())
  url.port = `${proxy.port}`
  const once: readonly Trouble[] = [
    { name: "restart", cause: () => server().restart() },
    {
      name: "crash",
      async cause() {
        await server().crash()
        await server().start()
      },
    },
    {
      name: "terminate",
      cause: () =>
        sql(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orra' AND pid <> pg_backend_pid()",
        ),
    },
    { name: "drop", cause: async () => proxy.drop() },
    { name: "lose", cause: async () => proxy.lose() },
  ]
  const troubles = Array.from({ length: TIMES }, () => once).flat()
  await run({
    place: url.href,
    store: await postgresStore({ url: server().url, maxConnections: 4, patienceMs: 60_000 }),
    troubles,
  })
})
