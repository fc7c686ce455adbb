import { Approvals, Namespace, PolicyRegistry, tool } from "@orra/core"
import { call } from "@orra/testing"
import { expect, test } from "vitest"
import {
  ADA,
  ADA_KEY,
  GUEST,
  type Harness,
  type HarnessOptions,
  harness,
  OWNER,
  OWNER_KEY,
} from "./fixture.ts"

const CHAT = Namespace.of("web", "chat")
const principals = [{ ...OWNER, permissions: ["chat", "approve"] as const }, ADA, GUEST] as const

interface Asked {
  readonly gateway: Harness
  readonly paid: readonly unknown[]
  decide(body: unknown, key?: string, id?: string): ReturnType<Harness["send"]>
}

/** A chat of the owner in which a call waits. */
async function asked(
  who: NonNullable<HarnessOptions["principals"]> = principals,
  approvals = new Approvals(),
): Promise<Asked> {
  const paid: unknown[] = []
  const pay = tool({
    name: "pay",
    description: "Pays.",
    input: { type: "object" },
    risk: "write",
    execute: (input) => {
      paid.push(input)
      return "paid"
    },
  })
  const gateway = await harness({
    principals: who,
    approvals,
    script: [call("pay", { to: "bob" }), "Done.", call("pay", { to: "bob" }), "Done again."],
    has: {
      approvals,
      tools: [pay],
      policies: new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } }),
    },
  })
  await gateway.runtime.run(CHAT, "Pay bob")
  const request = (await gateway.entries(CHAT)).find(({ type }) => type === "approval_request")
  const known = request?.type === "approval_request" ? request.approvalId : ""
  const decide: Asked["decide"] = (body, key = OWNER_KEY, id = known) =>
    gateway.send(`/api/sessions/${encodeURIComponent(CHAT.key)}/approvals/${id}`, {
      method: "POST",
      key,
      body,
    })
  return { gateway, paid, decide }
}

const ended = async ({ gateway }: Asked, count: number): Promise<void> => {
  for await (const event of gateway.runtime.subscribe(CHAT, { after: 0 }))
    if (event.type === "run_finished" && --count === 0) return
}

test("a call waits until somebody with the right decides, once", async () => {
  const there = await asked()
  const { gateway, paid, decide } = there
  const { json } = await gateway.send("/api/approvals", { key: OWNER_KEY })
  expect(json["approvals"]).toMatchObject([{ namespace: CHAT.key, tool: "pay", arguments: { to: "bob" } }])
  expect((await decide({ decision: "approve" }, ADA_KEY)).status).toBe(403)
  expect((await decide({ decision: "approve" }, OWNER_KEY, "no-such-id")).status).toBe(404)
  expect(paid).toEqual([])
  expect((await decide({ decision: "approve" })).json).toEqual({ decided: true })
  await ended(there, 1)
  expect(paid).toEqual([{ to: "bob" }])
  const twice = await decide({ decision: "approve" })
  expect([twice.status, twice.json["code"]]).toEqual([409, "approval_decided"])
  expect((await gateway.send("/api/approvals", { key: OWNER_KEY })).json).toEqual({
    approvals: [],
    rules: [],
  })
  const [decision] = (await gateway.entries(CHAT)).filter(({ type }) => type === "approval_decision")
  expect(decision).toMatchObject({ by: "owner", decision: "approve" })
})

test("S6, S7: what is remembered is not asked about again in that chat", async () => {
  const there = await asked()
  const { gateway, paid, decide } = there
  await decide({ decision: "approve", remember: "arguments" })
  await ended(there, 1)
  await gateway.runtime.run(CHAT, "And again")
  expect(paid).toHaveLength(2)
})

test("what is always approved holds in all chats of its person, until it is taken back", async () => {
  const there = await asked()
  const { gateway, paid, decide } = there
  const stranger = await decide({ decision: "approve", remember: "arguments", scope: "ada" })
  expect([stranger.status, stranger.json["code"]]).toEqual([404, "not_found"])
  await decide({ decision: "approve", remember: "arguments", scope: "web" })
  await ended(there, 1)
  await gateway.runtime.run(Namespace.of("web", "another"), "And again")
  expect(paid).toHaveLength(2)
  const rules = async (key = OWNER_KEY) =>
    (await gateway.send("/api/approvals", { key })).json["rules"] as readonly Record<string, unknown>[]
  const [rule] = await rules()
  expect(rule).toMatchObject({ namespace: "web", type: "arguments", tool: "pay", arguments: { to: "bob" } })
  const path = `/api/approval-rules/web/${encodeURIComponent(String(rule?.["ruleId"]))}`
  expect((await gateway.send(path, { method: "DELETE", key: ADA_KEY })).status).toBe(403)
  expect((await gateway.send(path, { method: "DELETE", key: OWNER_KEY })).json).toEqual({ revoked: true })
  expect((await gateway.send(path, { method: "DELETE", key: OWNER_KEY })).status).toBe(404)
  expect(await rules()).toEqual([])
  // By whoever it was, and once.
  const restore = async (key: string) => (await gateway.send(`${path}/restore`, { key, body: {} })).status
  expect(await restore(ADA_KEY)).toBe(403)
  expect(await restore(OWNER_KEY)).toBe(200)
  expect(await rules()).toEqual([rule])
  expect(await restore(OWNER_KEY)).toBe(404)
})

test("approving everything is seen by all who look at the chat, and ends when it is taken back", async () => {
  const there = await asked()
  const { gateway, paid, decide } = there
  await decide({ decision: "deny" })
  await ended(there, 1)
  const path = `/api/sessions/${encodeURIComponent(CHAT.key)}/approve-everything`
  const put = (minutes: unknown, key = OWNER_KEY) =>
    gateway.send(path, { method: "PUT", key, body: { minutes } })
  for (const minutes of [0, -1, 1_441, "5", null]) expect((await put(minutes)).status).toBe(400)
  expect((await put(5, ADA_KEY)).status).toBe(403)
  const until = async () => (await gateway.runtime.info(CHAT))?.metadata["approvesUntil"]
  expect(await until()).toBeUndefined()
  const { json } = await put(5)
  expect(json).toMatchObject({ type: "everything", until: await until() })
  await gateway.runtime.run(CHAT, "And again")
  expect(paid).toHaveLength(1)
  const rule = `/api/approval-rules/${encodeURIComponent(CHAT.key)}/everything`
  expect((await gateway.send(rule, { method: "DELETE", key: OWNER_KEY })).json).toEqual({ revoked: true })
  expect(await until()).toBeUndefined()
})

test("who decides in another namespace sees what waits there, decides, and reaches nothing else", async () => {
  const there = await asked([
    {
      ...OWNER,
      namespace: Namespace.of("desk"),
      decidesIn: [Namespace.of("web")],
      permissions: ["chat", "approve"],
    },
    ADA,
    GUEST,
  ])
  const { gateway, paid, decide } = there
  const chat = `/api/sessions/${encodeURIComponent(CHAT.key)}`
  expect((await gateway.send(chat, { key: OWNER_KEY })).status).toBe(404)
  const put = { method: "PUT", key: OWNER_KEY, body: { minutes: 5 } }
  expect((await gateway.send(`${chat}/approve-everything`, put)).status).toBe(404)
  expect((await decide({ decision: "approve", remember: "tool", scope: "ada" })).status).toBe(404)
  expect((await decide({ decision: "approve", remember: "tool", scope: CHAT.key })).status).toBe(200)
  await ended(there, 1)
  expect(paid).toHaveLength(1)
  const { json } = await gateway.send("/api/approvals", { key: OWNER_KEY })
  expect(json).toMatchObject({ approvals: [], rules: [{ namespace: CHAT.key, type: "tool", tool: "pay" }] })
})

test("S5: whoever asked goes away, and nothing is approved by that", async () => {
  const { gateway, paid, decide } = await asked()
  const client = await gateway.connect({ key: OWNER_KEY })
  client.send({ type: "subscribe", namespace: CHAT.key, after: 0 })
  await client.frame("event")
  await client.close()
  const { json } = await gateway.send("/api/approvals", { key: OWNER_KEY })
  expect(json["approvals"]).toHaveLength(1)
  expect(paid).toEqual([])
  expect((await decide({ decision: "approve" })).status).toBe(200)
})

test("R9: an approval pressed after expiry counts for nothing, and the call is refused", async () => {
  const there = await asked(principals, new Approvals({ ttlMs: 1 }))
  const { gateway, paid, decide } = there
  await expect.poll(async () => (await decide({ decision: "approve" })).status).toBe(410)
  await ended(there, 1)
  expect(paid).toEqual([])
  expect(JSON.stringify(await gateway.entries(CHAT))).toContain("nobody approved it in time")
})

test("a refusal tells the model why", async () => {
  const there = await asked()
  const { gateway, paid, decide } = there
  await decide({ decision: "deny", note: "Not this month." })
  await ended(there, 1)
  expect(paid).toEqual([])
  expect(JSON.stringify(await gateway.entries(CHAT))).toContain("Not this month.")
})

test.each([
  {},
  { decision: "yes" },
  { decision: "deny", remember: "tool" },
  { decision: "approve", remember: "everything" },
  { decision: "approve", scope: "web" },
  { decision: "deny", note: "x".repeat(2_001) },
  { decision: "deny", note: 1 },
])("%j is no decision", async (body) => {
  const { paid, decide } = await asked()
  const { status, json } = await decide(body)
  expect([status, json["code"]]).toEqual([400, "invalid_input"])
  expect(paid).toEqual([])
})
