import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type JsonObject, MemoryStore, Namespace } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { describe, expect, test } from "vitest"
import { ORDER, SHOP } from "../fixture.ts"
import { RecordedLog, type RunEntry, runPlan } from "../index.ts"

const RUN = Namespace.of("plans", "p_1", "o_1")
const entry = (at: number): RunEntry => ({ at, type: "finished", status: "completed" })

describe("a log in records", () => {
  test("is read as it was written, however long it is", async () => {
    const records = new MemoryStore().records("plan-runs")
    const log = new RecordedLog(records, RUN)
    const entries = Array.from({ length: 1_203 }, (_, index) => entry(index))
    for (const each of entries) await log.append(each)
    expect(await new RecordedLog(records, RUN).read()).toEqual(entries)
  })

  test("that was changed, cut at its front or in its middle is not gone on with", async () => {
    for (const tamper of ["change", "remove", "swap"] as const) {
      const records = new MemoryStore().records("plan-runs")
      const log = new RecordedLog(records, RUN)
      for (const at of [1, 2, 3]) await log.append(entry(at))
      const { items } = await records.list(RUN)
      const [, second, third] = items
      if (!second || !third) return
      if (tamper === "change")
        await records.put(RUN, second.key, { ...(second.value as JsonObject), entry: { type: "changed" } })
      else if (tamper === "remove") await records.delete(RUN, second.key)
      else {
        await records.put(RUN, second.key, third.value)
        await records.put(RUN, third.key, second.value)
      }
      const call = async () => ({ type: "done", output: null }) as const
      const running = runPlan({
        id: "o_1",
        plan: ORDER,
        services: SHOP,
        log: new RecordedLog(records, RUN),
        call,
      })
      await expect(running, tamper).rejects.toMatchObject({
        code: "plan_log_broken",
        details: { entry: tamper === "remove" ? 2 : 1 },
      })
    }
  })

  test("takes one writer: the second is told", async () => {
    const records = new MemoryStore().records("plan-runs")
    const [first, second] = [new RecordedLog(records, RUN), new RecordedLog(records, RUN)]
    await first.append(entry(1))
    await expect(second.append(entry(1))).rejects.toMatchObject({ code: "version_conflict" })
    await second.read()
    await second.append(entry(2))
    expect(await first.read()).toHaveLength(2)
  })
})

test("a process that is killed at any moment leaves a run that the next one ends, and each thing is done once", async () => {
  const child = fileURLToPath(new URL("run.child.ts", import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), "orra-plan-"))
  const path = join(folder, "plans.db")
  const effects = join(folder, "effects")
  let kills = 0
  for (let step = 1; ; step++) {
    const running = fork(child, [path, effects, String(step)], {
      execArgv: ["--conditions=@orra/source", "--no-warnings"],
    })
    const [code] = (await once(running, "exit")) as [number | null]
    if (code === 0) break
    expect(code, "it was killed, and did not fail").toBe(null)
    kills++
  }
  expect(kills).toBeGreaterThan(3)
  const store = await sqliteStore({ path })
  const entries = await new RecordedLog(store.records("plan-runs"), RUN).read()
  await store.close()
  expect(entries.filter(({ type }) => type === "task_done")).toHaveLength(3)
  expect(entries.filter(({ type }) => type === "finished")).toHaveLength(1)
  const done = readFileSync(effects, "utf8").trim().split("\n")
  expect(new Set(done).size, "one key for each task").toBe(3)
  rmSync(folder, { recursive: true })
})
