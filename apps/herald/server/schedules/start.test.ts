import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { type Job, jobRights } from "@orra/cron"
import { scriptedProvider } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { OWNER, parseConfig } from "../config/load.ts"
import { discordPeople } from "../discord-people.ts"
import type { Logger } from "../log/log.ts"
import { Zones } from "../zones.ts"
import { originalExpression, originalJob } from "./import-original.ts"
import { Schedules } from "./schedules.ts"

/** What is begun again and again on the same data, each time with another configuration. */
function place() {
  const dataDir = mkdtempSync(join(tmpdir(), "herald-schedules-"))
  const store = new MemoryStore()
  const policies = new PolicyRegistry()
  const lines: string[] = []
  const say = (line: unknown): void => void lines.push(String(line))
  const logger = { info: say, warn: say, error: say } as unknown as Logger
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const begun = async (toml: string) => {
    const { config } = parseConfig(toml, "a.toml", {})
    const runtime = new Runtime({
      provider: scriptedProvider([]),
      store,
      policies,
      rights: jobRights(policies),
    })
    const zones = await Zones.open(store.records("people"), [OWNER], "Europe/Oslo")
    const schedules = new Schedules({ config: () => config, dataDir, logger, zones })
    await schedules.start(runtime)
    const inDiscord = async (namespace: Namespace, userId: string): Promise<string | undefined> => {
      const scheduler = schedules.of(namespace)
      const payload = { type: "system_event", message: "Tea" } as const
      const schedule = { type: "every", interval_ms: 3_600_000 } as const
      const creator = { principal: `discord:${userId}` }
      const { id } = await scheduler.create(namespace, { name: "tea", schedule, payload }, creator)
      await scheduler.runNow(namespace, id)
      await scheduler.idle()
      return (await scheduler.runs(namespace, id)).items[0]?.outcome
    }
    const jobs = async (): Promise<readonly Job[]> => (await schedules.of(OWNER).list(OWNER)).items
    return {
      scheduler: schedules.of(OWNER),
      jobs,
      inDiscord,
      end: async () => {
        schedules.stop()
        await runtime.close()
        await schedules.idle()
      },
    }
  }
  return { dataDir, begun, lines, store }
}

const job = (name: string, schedule: string) =>
  `[[scheduler.jobs]]\nname = "${name}"\nschedule = "${schedule}"\nchannel = "own"\nmessage = "m"\n`

test("jobs of the file follow it from start to start, and one that was paused stays paused", async () => {
  const { begun } = place()
  const first = await begun(
    `[scheduler]\nenabled = true\n${job("one", "0 7 * * *")}${job("two", "0 8 * * *")}`,
  )
  const [one, two] = (await first.jobs()).toSorted((a, b) => a.name.localeCompare(b.name))
  expect([one?.schedule, two?.schedule]).toMatchObject([
    { timezone: "Europe/Oslo" },
    { expression: "0 8 * * *" },
  ])
  await first.scheduler.pause(OWNER, one?.id ?? "")
  await first.end()
  const second = await begun(`[scheduler]\nenabled = true\n${job("one", "0 9 * * *")}`)
  expect(await second.jobs()).toMatchObject([
    { id: one?.id, status: "paused", schedule: { expression: "0 9 * * *" } },
  ])
  await second.end()
  const third = await begun(job("one", "0 9 * * *"))
  expect(await third.jobs()).toEqual([])
  await third.end()
})

test("the original's jobs are taken over once: what was deleted since stays deleted", async () => {
  const { begun, dataDir, lines } = place()
  const file = join(dataDir, "cron_jobs.json")
  writeFileSync(file, "{")
  await (await begun("")).end()
  expect(lines.join("\n")).toContain("cron_jobs.json is not read")
  const every = { type: "every", interval_ms: 1_000 }
  const payload = { type: "agent_turn", prompt: "Look." }
  writeFileSync(
    file,
    JSON.stringify([{ id: "a", name: "x".repeat(200), schedule: every, payload, status: "active" }]),
  )
  const first = await begun("")
  const [made] = await first.jobs()
  expect(made).toMatchObject({ name: "x".repeat(100), schedule: { interval_ms: 60_000 }, to: "own" })
  await first.scheduler.delete(OWNER, made?.id ?? "")
  await first.end()
  const second = await begun("")
  expect(await second.jobs()).toEqual([])
  await second.end()
})

test.each([
  ["*/15 8-17 * * *", "*/15 8-17 * * *"],
  ["0 9 */2 * *", "0 9 2-31/2 * *"],
  ["0 9 1 */3 *", "0 9 1 3-12/3 *"],
  ["0 9 13 * 5", "0 9 13 * +5"],
  ["0 9 */1 * 0", "0 9 */1 * +0"],
])("%s of the original is %s", (before, now) => {
  expect(originalExpression(before)).toBe(now)
})

test.each([
  ["web", "own"],
  ["web:abc", "chat:web:abc"],
  ["discord:300000000000000001:300000000000000002", "channel:300000000000000002"],
  ["discord:300000000000000002", "channel:300000000000000002"],
  ["delegation:x", "own"],
  [undefined, "own"],
])("F6: what went to %s is told in %s", (namespace, to) => {
  expect(originalJob({ name: "n", namespace }).to).toBe(to)
})

test("in Discord the jobs of whoever may not talk to Herald any more are not done", async () => {
  const { begun, store } = place()
  const [ada, bob] = ["200000000000000001", "200000000000000002"]
  const at = (where: string, who: string) => Namespace.of("discord", where, "300000000000000001", who)
  const links = discordPeople(store, () => parseConfig("", "a.toml", {}).config)
  await links.redeem((await links.code(OWNER)).code, { userId: ada, username: "ada" })
  const open = await begun("")
  expect(await open.inDiscord(at("dm", ada), ada)).toBe("completed")
  expect(await open.inDiscord(at("dm", bob), bob)).toBe("refused")
  expect(await open.inDiscord(at("400000000000000001", bob), bob)).toBe("completed")
  await open.end()
  const limited = await begun(`[discord]\nallowed_users = ["${bob}"]\n`)
  expect(await limited.inDiscord(at("dm", ada), ada)).toBe("refused")
  expect(await limited.inDiscord(at("dm", bob), bob)).toBe("completed")
  await limited.end()
})
