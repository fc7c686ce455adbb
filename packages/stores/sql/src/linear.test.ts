import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TrialOptions, trial } from "@orra/testing/linear"
import { postgresServer } from "@orra/testing/postgres"
import { expect, onTestFinished, test } from "vitest"
import { postgresStore, sqliteStore } from "./index.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined
const SEED = Number(process.env["ORRA_SEED"] ?? Math.floor(Math.random() * 1e9))
const SIZE = FULL
  ? { processes: 8, sessions: 200, messages: 2_000, kills: 60, holds: 10 }
  : { processes: 3, sessions: 10, messages: 60, kills: 4, holds: 1 }
const CHILD = new URL("./linear.child.ts", import.meta.url)

async function run(options: Pick<TrialOptions, "place" | "store">): Promise<void> {
  const { problems, history, counts } = await trial({ ...options, ...SIZE, module: CHILD, seed: SEED })
  console.log(`ORRA_SEED=${SEED}, ${history}`, counts)
  expect(problems).toEqual([])
}

test("PostgreSQL", { timeout: 900_000 }, async () => {
  const server = await postgresServer()
  onTestFinished(() => server.stop())
  const store = await postgresStore({ url: server.url, maxConnections: 4 })
  await run({ place: server.url, store })
  await store.close()
})

test("one SQLite file", { timeout: 900_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "orra-linear-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const place = join(folder, "orra.db")
  const store = await sqliteStore({ path: place })
  await run({ place, store })
  await store.close()
})
