import { callTool, MemoryStore, Namespace, PolicyRegistry, Runtime } from "@orra/core"
import { jobRights, Scheduler } from "@orra/cron"
import { scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { heraldCron } from "./cron.ts"

const web = Namespace.of("web")

function place() {
  const policies = new PolicyRegistry()
  const runtime = new Runtime({
    provider: scriptedProvider([]),
    store: new MemoryStore(),
    policies,
    rights: jobRights(policies),
  })
  const scheduler = new Scheduler(runtime, { prefix: web, timezone: "Europe/Oslo" })
  const { tools, policy = {} } = heraldCron({
    of: () => scheduler,
    homeOf: () => web,
    zoneOf: () => "Asia/Tokyo",
  })
  for (const each of tools) runtime.tools.add(each)
  policies.set(web, policy)
  const create = async (session: Namespace, more: object = {}) => {
    const result = await callTool(runtime, session, "cron", {
      action: "create",
      name: "up",
      schedule: { type: "cron", expression: "0 9 * * *" },
      payload: { type: "system_event", message: "Up!" },
      ...more,
    })
    return [result.status, JSON.stringify(result.content)] as const
  }
  return { scheduler, create }
}

test("a job is the person's, its times theirs, and what comes of it comes to where it was made", async () => {
  const { scheduler, create } = place()
  await create(web.child("chat"))
  await create(web.child("chat", "~agents", "r", "0"), { to: "own" })
  await create(web.child("chat", "~agents", "r", "1"))
  const { items } = await scheduler.list(web)
  expect(items.map(({ to, schedule }) => [to, schedule])).toEqual(
    expect.arrayContaining([
      ["chat:web:chat", { type: "cron", expression: "0 9 * * *", timezone: "Asia/Tokyo" }],
      ["own", expect.anything()],
      ["own", expect.anything()],
    ]),
  )
})

test("S20: somebody else's chat and approvals are out of reach, and a channel is asked about", async () => {
  const { scheduler, create } = place()
  const here = web.child("chat")
  expect(await create(here, { to: "chat:ada:chat" })).toEqual([
    "error",
    expect.stringContaining("left out for this conversation"),
  ])
  expect((await create(here, { to: "#general" }))[0]).toBe("error")
  expect(await create(here, { auto_approve: true })).toEqual([
    "error",
    expect.stringContaining("Nobody but a person can approve"),
  ])
  expect(await create(here, { to: "channel:300000000000000001" })).toEqual([
    "denied",
    expect.stringContaining("needs a person's approval"),
  ])
  expect((await scheduler.list(web)).items).toEqual([])
})
