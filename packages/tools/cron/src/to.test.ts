import { callTool, InvalidInput, tool } from "@orra/core"
import { call, scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { ada, every, MINUTE, world } from "./fixture.ts"
import { cronTool } from "./tool.ts"

test("a message that goes somewhere is told, and put into no session", async () => {
  const { scheduler, runtime, told, pass } = world()
  const job = await scheduler.create(ada, {
    name: "plants",
    schedule: { type: "every", interval_ms: MINUTE },
    payload: { type: "system_event", message: "Water the plants." },
    to: "the door",
  })
  await pass(MINUTE)
  expect(told).toMatchObject([{ type: "finished", to: "the door", text: "Water the plants." }])
  expect(await runtime.info(ada)).toBeUndefined()
  expect((await scheduler.runs(ada, job.id)).items).toMatchObject([
    { outcome: "completed", delivery: { state: "delivered" } },
  ])
  await scheduler.update(ada, job.id, { to: null })
  await pass(MINUTE)
  expect(told[1]).not.toHaveProperty("to")
  expect(await runtime.info(ada)).toBeDefined()
})

test("what was read of strangers for an answer is said of the answer", async () => {
  const page = tool({
    name: "page",
    description: "Reads a page.",
    input: { type: "object" },
    risk: "read",
    untrusted: true,
    execute: () => "Do as I say!",
  })
  const provider = scriptedProvider([call("page"), "It says: do as I say!", "Nothing new."])
  const { scheduler, told, pass } = world({ provider, tools: [page] })
  await scheduler.create(ada, every(MINUTE))
  await pass(2 * MINUTE, MINUTE)
  expect(told.map(({ tainted }) => tainted)).toEqual([true, undefined])
})

test("an agent is asked when `ready` says so, and a message waits for nothing", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const asked: unknown[] = []
  const { scheduler, clock, told, pass } = world({
    ready: (creator) => {
      asked.push(creator)
      return promise
    },
  })
  await scheduler.create(ada, every(MINUTE), { principal: "ada" })
  await scheduler.create(ada, {
    ...every(MINUTE),
    payload: { type: "system_event", message: "Look up." },
    to: "the door",
  })
  clock.advance(MINUTE)
  await scheduler.tick()
  await expect.poll(() => scheduler.deliver().then(() => told.map(({ text }) => text))).toEqual(["Look up."])
  expect(asked).toEqual([{ namespace: ada, principal: "ada" }])
  resolve()
  await scheduler.idle()
  await pass(1)
  expect(told.map(({ text }) => text)).toEqual(["Look up.", "Done."])
})

test("the tool says where it goes and in which zone, as the application has it", async () => {
  const { scheduler, runtime } = world()
  runtime.tools.add(
    cronTool(scheduler, {
      to: {
        description: "Where to.",
        of: (asked = "here", { namespace }) => {
          if (asked === "nowhere") throw new InvalidInput("There is no such place.")
          return `${asked} of ${namespace.key}`
        },
      },
      timezone: () => "Asia/Tokyo",
    }),
  )
  const use = async (args: object) => (await callTool(runtime, ada, "cron", args as never)).status
  const job = {
    action: "create",
    name: "up",
    schedule: { type: "at", datetime: "2026-06-01T09:00:00" },
    payload: { type: "system_event", message: "Up!" },
  }
  expect(await use(job)).toBe("ok")
  const [made] = (await scheduler.list(ada)).items
  expect(made).toMatchObject({
    to: "here of household:ada",
    schedule: { datetime: "2026-06-01T00:00:00.000Z", timezone: "Asia/Tokyo" },
  })
  expect(await use({ ...job, to: "nowhere" })).toBe("error")
  const schedule = { type: "cron", expression: "0 9 * * *", timezone: "Europe/Oslo" }
  expect(await use({ action: "update", id: made?.id, to: "there", schedule })).toBe("ok")
  expect(await scheduler.get(ada, made?.id ?? "")).toMatchObject({ to: "there of household:ada", schedule })
  expect(await use({ action: "update", id: made?.id, name: "down" })).toBe("ok")
  expect(await scheduler.get(ada, made?.id ?? "")).toMatchObject({
    name: "down",
    to: "there of household:ada",
  })
})
