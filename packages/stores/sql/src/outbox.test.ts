import { readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { Namespace, Outbox } from "@orra/core"
import { startChild } from "@orra/testing/process"
import { expect, onTestFinished, test } from "vitest"
import { testFolder, testServer } from "./fixture.ts"
import { openAt } from "./open-at.ts"

const CHILD = new URL("./outbox.child.ts", import.meta.url)
const HOUR = 3_600_000
const ROUNDS = process.env["ORRA_TEST_FULL"] ? 20 : 2

const folder = testFolder()
const server = testServer()

test.each([
  ["SQLite", () => join(folder, "outbox.db")],
  ["PostgreSQL", () => server().url],
])(
  "%s: of processes that deliver and are killed, every message arrives, in order, and rarely twice",
  async (name, placeOf) => {
    const place = placeOf()
    const store = await openAt(place)
    onTestFinished(() => store.close())
    const file = join(folder, `${name}.txt`)
    const top = Namespace.of("tenant")
    const tenants = ["a", "b", "c"].map((tenant) => top.child(tenant))
    const keys: string[] = []
    const outbox = new Outbox(store, { deliver: () => Promise.reject(new Error("Not here.")) })
    // However slowly a process is killed, there is something left for the others; and no more than can be delivered then.
    let isOver = false
    const adding = (async () => {
      while (!isOver) {
        if ((await outbox.list(top)).length < 60) {
          const key = `message-${keys.length}`
          keys.push(key)
          await Promise.all(tenants.map((tenant) => outbox.add(tenant, key, key)))
        }
        await setTimeout(20)
      }
    })()
    for (let round = 0; round < ROUNDS; round++) await killTwo(place, file, 4 * HOUR * round)
    isOver = true
    await adding
    const controller = new AbortController()
    const later = async (): Promise<number> => Date.now() + 4 * HOUR * ROUNDS
    const last = new Outbox(
      { records: store.records.bind(store), now: later },
      {
        deliver: async ({ namespace, key }) => void rest.push(`${namespace.key} ${key}`),
      },
    )
    const rest: string[] = []
    const running = last.run(top, { signal: controller.signal, pollMs: 50 })
    await expect.poll(() => last.list(top)).toEqual([])
    controller.abort()
    await running

    const lines = [...readFileSync(file, "utf8").trim().split("\n"), ...rest]
    for (const tenant of tenants) {
      const arrived = lines
        .filter((line) => line.startsWith(`${tenant.key} `))
        .map((line) => line.split(" ")[1])
      // A message that came twice came twice in a row: nothing overtook it.
      expect(arrived.filter((key, index) => key !== arrived[index - 1])).toEqual(keys)
      expect(arrived.length).toBeLessThanOrEqual(keys.length + 2 * ROUNDS)
    }
  },
)

/** Two processes deliver until each is killed. When one is dead, it is two hours later for the other. */
async function killTwo(place: string, file: string, aheadMs: number): Promise<void> {
  const two = [6, 9].map((count) => {
    let said = 0
    const child = startChild(CHILD, [place, file, `${aheadMs}`], () => {
      if (++said === count) child.kill("SIGKILL")
    })
    return child
  })
  await Promise.all(
    two.map(async (child, index) => {
      const { signal, complaint } = await child.ended
      expect(signal, complaint).toBe("SIGKILL")
      two[1 - index]?.tell(2 * HOUR)
    }),
  )
}
