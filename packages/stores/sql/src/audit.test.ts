import { Namespace, type NewEntry, NO_USAGE, userMessage, VersionConflict } from "@orra/core"
import { describe, expect, test } from "vitest"
import { hashOf } from "./audit-chain.ts"
import { auditSubjects, type Subject } from "./audit-fixture.ts"

const acme = Namespace.of("tenant", "acme")
const ada = acme.child("ada")
const chat = ada.child("chat")

const at = 1
const runId = "run-1"
const intent: NewEntry = {
  type: "tool_intent",
  at,
  runId,
  callId: "call-1",
  name: "send_email",
  arguments: { to: "canary-content" },
  decision: "allow",
  reason: 'tenant:acme:ada: allow "send_email"',
  approval: { by: "canary-boss", approvalId: "approval-1" },
  idempotencyKey: "key-1",
}
const TURN: readonly NewEntry[] = [
  { type: "user", at, message: userMessage("canary-content") },
  { type: "run_started", at, runId, principal: "canary-ada", model: "a-model" },
  intent,
  {
    type: "tool_result",
    at,
    runId,
    callId: "call-1",
    result: {
      type: "tool_result",
      callId: "call-1",
      name: "send_email",
      status: "ok",
      content: [{ type: "text", text: "canary-content" }],
    },
  },
]
const FINISHED: NewEntry = { type: "run_finished", at, runId, outcome: "completed", usage: NO_USAGE }

/** Five links: the turn, an approval asked and decided, the end of the run, and one of the application. */
async function filled({ store }: Subject, session = chat): Promise<void> {
  const lease = await store.acquire(session, "owner", 60_000)
  if (!lease) throw new Error("The lease is taken.")
  await store.append(session, TURN, { expected: 0, lease })
  const approval = { at, runId, approvalId: "approval-2", callId: "call-2" }
  const request = { ...approval, name: "pay", arguments: {}, digest: "d", reason: "ask", expiresAt: 9 }
  await store.append(session, [{ type: "approval_request", ...request }], { expected: 4, lease })
  const decision: NewEntry = {
    type: "approval_decision",
    ...approval,
    decision: "approve",
    by: "canary-boss",
  }
  await store.append(session, [decision], { expected: 5 })
  await store.append(session, [FINISHED], { expected: 6, lease })
  await store.release(lease)
  await store.audit.record(session, { type: "exported", at, by: "canary-boss" })
}

describe.each(Object.entries(auditSubjects()))("audit in %s", (name, make) => {
  test("says who did what in each transaction, with digests in place of content", async () => {
    const subject = await make()
    await filled(subject)
    const { items } = await subject.store.audit.list(acme)
    const digest = expect.stringMatching(/^[0-9a-f]{64}$/)
    expect(items.map(({ namespace, link }) => [namespace.key, link])).toEqual(
      [1, 2, 3, 4, 5].map((link) => [chat.key, link]),
    )
    expect(items.map(({ events }) => events)).toEqual([
      [
        { type: "run_started", at, seq: 2, runId, principal: "canary-ada", model: "a-model", entry: digest },
        {
          type: "tool_intent",
          at,
          seq: 3,
          runId,
          callId: "call-1",
          name: "send_email",
          decision: "allow",
          reason: 'tenant:acme:ada: allow "send_email"',
          by: "canary-boss",
          approvalId: "approval-1",
          entry: digest,
        },
        {
          type: "tool_result",
          at,
          seq: 4,
          runId,
          callId: "call-1",
          name: "send_email",
          status: "ok",
          entry: digest,
        },
      ],
      [expect.objectContaining({ type: "approval_request", seq: 5, name: "pay", reason: "ask" })],
      [
        expect.objectContaining({
          type: "approval_decision",
          seq: 6,
          decision: "approve",
          by: "canary-boss",
        }),
      ],
      [{ type: "run_finished", at, seq: 7, runId, outcome: "completed", entry: digest }],
      [{ type: "exported", at, by: "canary-boss" }],
    ])
    expect(await subject.store.audit.verify(acme)).toBeUndefined()
    const rows = JSON.stringify(await subject.sql("SELECT * FROM audit"))
    expect(rows).not.toContain("canary-content")
    expect(JSON.stringify(await subject.sql("SELECT body FROM audit"))).not.toContain("canary")
  })

  test("pages walk all links of all sessions once, and see no other tenant's", async () => {
    const subject = await make()
    const sessions = [chat, ada.child("other"), Namespace.of("tenant", "acme2", "chat")]
    for (const session of sessions) await filled(subject, session)
    const seen: string[] = []
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await subject.store.audit.list(acme, { limit: 3, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.items.map(({ namespace, link }) => `${namespace.key} ${link}`))
      cursor = page.cursor
    }
    const expected = sessions
      .slice(0, 2)
      .flatMap(({ key }) => [1, 2, 3, 4, 5].map((link) => `${key} ${link}`))
    expect(seen).toEqual(expected)
  })

  test("the newest links of one chain come first, and nothing of the chains below it", async () => {
    const { audit } = (await make()).store
    for (let n = 1; n <= 5; n++) await audit.record(ada, { type: "exported", at: n })
    await audit.record(chat, { type: "exported", at })
    const found = async (options?: Parameters<typeof audit.newest>[1]) =>
      (await audit.newest(ada, options)).map(({ link, events }) => [link, events[0]?.["at"]])
    expect(await found({ limit: 2 })).toEqual([
      [5, 5],
      [4, 4],
    ])
    expect(await found({ limit: 3, before: 4 })).toEqual([
      [3, 3],
      [2, 2],
      [1, 1],
    ])
    expect(await found({ before: 1 })).toEqual([])
    expect(await found()).toHaveLength(5)
    await expect(found({ limit: 501 })).rejects.toMatchObject({ code: "invalid_input" })
  })

  test("chains of no session are told apart: what was recorded elsewhere, and what a deleted session left", async () => {
    const subject = await make()
    const { audit } = subject.store
    await filled(subject)
    await audit.record(ada, { type: "exported", at })
    const found = async () =>
      (await audit.heads(acme, { withoutSession: true })).map(({ namespace }) => namespace.key)
    expect(await found()).toEqual([ada.key])
    await subject.store.delete(chat)
    expect(await found()).toEqual([ada.key, chat.key])
    expect(await audit.heads(acme, { withoutSession: true })).toEqual(await audit.heads(acme))
  })

  test("what is refused leaves no link", async () => {
    const { store } = await make()
    const lease = await store.acquire(chat, "owner", 60_000)
    if (!lease) return
    await expect(store.append(chat, TURN, { expected: 3, lease })).rejects.toThrow(VersionConflict)
    expect((await store.audit.list(acme)).items).toEqual([])
  })

  test("what cannot be audited is not done", async () => {
    const subject = await make()
    const { store } = subject
    const lease = await store.acquire(chat, "owner", 60_000)
    if (!lease) return
    await store.append(chat, [{ type: "meta", at, patch: { title: "Before" } }], { expected: 0 })
    await subject.sql("ALTER TABLE audit RENAME TO elsewhere")
    const more = Array.from({ length: 20 }, () => FINISHED)
    for (const entries of [TURN, more]) {
      await expect(store.append(chat, entries, { expected: 1, lease })).rejects.toMatchObject({
        code: "store_failed",
      })
    }
    await expect(store.delete(chat)).rejects.toMatchObject({ code: "store_failed" })
    await expect(store.records("approval-rules").put(ada, "rule", 1)).rejects.toMatchObject({
      code: "store_failed",
    })
    expect((await store.info(chat))?.version).toBe(1)
    expect(await store.records("approval-rules").get(ada, "rule")).toBeUndefined()
    await subject.sql("ALTER TABLE elsewhere RENAME TO audit")
    await store.append(chat, TURN, { expected: 1, lease })
    await store.append(chat, more, { expected: 5, lease })
    expect((await store.audit.list(chat)).items.map(({ events }) => events.length)).toEqual([3, 20])
    expect(await store.audit.verify(chat)).toBeUndefined()
  })

  test("without the option nothing is written", async () => {
    const subject = await make()
    const store = await subject.again({ audit: false })
    const lease = await store.acquire(chat, "owner", 60_000)
    await store.append(chat, TURN, { expected: 0, ...(lease && { lease }) })
    await store.delete(chat)
    expect(await subject.sql("SELECT * FROM audit")).toEqual([])
  })

  test("sessions that end and begin again, and processes that write by turns, go on with one chain", async () => {
    const subject = await make()
    const other = await subject.again()
    await filled(subject)
    await other.delete(chat)
    await filled({ ...subject, store: other })
    const { items } = await subject.store.audit.list(chat)
    expect(items.map(({ link }) => link)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(items[5]?.events).toMatchObject([{ type: "session_deleted" }])
    expect(await other.audit.verify(acme)).toBeUndefined()
  })

  test("of many that write at once each link has its place", async () => {
    const subject = await make()
    const other = await subject.again()
    const records = Array.from({ length: 40 }, (_, n) => (n % 2 ? other : subject.store).audit)
    await Promise.all(records.map((audit, n) => audit.record(chat, { type: "noted", at: n })))
    const { items } = await subject.store.audit.list(chat)
    expect(items.map(({ link }) => link)).toEqual(records.map((_, index) => index + 1))
    expect(new Set(items.map(({ events }) => events[0]?.["at"])).size).toBe(40)
    expect(await subject.store.audit.verify(acme)).toBeUndefined()
  })

  test("who may approve what without being asked is audited with the rule", async () => {
    const { store } = await make()
    await store.records("approval-rules").put(ada, "canary-rule", { tool: "canary-content" })
    await store.records("approval-rules").delete(ada, "canary-rule")
    await store.records("settings").put(ada, "theme", "dark")
    const { items } = await store.audit.list(acme)
    expect(items.map(({ events }) => events)).toEqual([
      [
        {
          type: "record_written",
          at: expect.any(Number),
          collection: "approval-rules",
          key: "canary-rule",
          value: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ],
      [{ type: "record_deleted", at: expect.any(Number), collection: "approval-rules", key: "canary-rule" }],
    ])
  })

  const approved = `replace(body, '"decision":"approve"', '"decision":"deny"')`
  const forged = hashOf("before", "{}")
  const added = `INSERT INTO audit (ns, link, body, hash) SELECT '${chat.key}'`
  /** `$` is the chain that is tampered with. */
  test.each([
    ["what it says is changed", `UPDATE audit SET body = ${approved} WHERE $ AND link = 3`, 3, "changed"],
    [
      "who did it is changed",
      "UPDATE audit SET revealed = replace(revealed, 'boss', 'eve') WHERE $ AND link = 3",
      3,
      "changed",
    ],
    ["what is revealed is no JSON", "UPDATE audit SET revealed = '{' WHERE $ AND link = 3", 3, "changed"],
    ["a hash is changed", `UPDATE audit SET hash = '${forged}' WHERE $ AND link = 5`, 5, "changed"],
    ["one is removed in the middle", "DELETE FROM audit WHERE $ AND link = 3", 3, "missing"],
    ["the first is removed", "DELETE FROM audit WHERE $ AND link = 1", 1, "missing"],
    ["the last is removed", "DELETE FROM audit WHERE $ AND link = 5", 5, "missing"],
    [
      "one is removed and the next takes its place",
      "DELETE FROM audit WHERE $ AND link = 3; UPDATE audit SET link = 3 WHERE $ AND link = 4",
      3,
      "changed",
    ],
    [
      "one is inserted in the middle",
      `UPDATE audit SET link = link + 100 WHERE $ AND link > 2;
        UPDATE audit SET link = link - 99 WHERE $ AND link > 100; ${added}, 3, '{}', '${forged}'`,
      3,
      "changed",
    ],
    ["one is added at the end", `${added}, 6, '{}', '${forged}'`, 6, "changed"],
    [
      "two change places",
      `UPDATE audit SET link = 100 WHERE $ AND link = 2; UPDATE audit SET link = 2 WHERE $ AND link = 3;
        UPDATE audit SET link = 3 WHERE $ AND link = 100`,
      2,
      "changed",
    ],
    ["all are removed", "DELETE FROM audit WHERE $", 1, "missing"],
    ["its head is removed", "DELETE FROM audit_heads WHERE $", 1, "added"],
    ["its head is another", `UPDATE audit_heads SET hash = '${forged}' WHERE $`, 5, "changed"],
    ["its head is set back", "UPDATE audit_heads SET links = 4 WHERE $", 4, "changed"],
  ])("a chain is broken where %s", async (_, tamper, link, reason) => {
    const subject = await make()
    await filled(subject)
    await filled(subject, ada.child("before"))
    await subject.sql(tamper.replaceAll("$", `ns = '${chat.key}'`))
    expect(await subject.store.audit.verify(acme)).toEqual({ namespace: chat, link, reason })
    expect(await subject.store.audit.verify(ada.child("before"))).toBeUndefined()
  })

  test("a correct link that follows the last, but not the head, is one too many", async () => {
    const subject = await make()
    await filled(subject)
    const [head] = await subject.store.audit.heads(chat)
    const hash = hashOf(head?.hash ?? "", "{}")
    await subject.sql(`INSERT INTO audit (ns, link, body, hash) VALUES ('${chat.key}', 6, '{}', '${hash}')`)
    expect(await subject.store.audit.verify(acme)).toEqual({ namespace: chat, link: 6, reason: "added" })
  })

  test("a chain of one namespace cannot be passed off as another's", async () => {
    const subject = await make()
    await filled(subject)
    const eve = ada.child("eve")
    await subject.sql(`UPDATE audit SET ns = '${eve.key}'; UPDATE audit_heads SET ns = '${eve.key}'`)
    expect(await subject.store.audit.verify(acme)).toEqual({ namespace: eve, link: 1, reason: "changed" })
  })

  test("whoever kept the heads finds chains that were cut, written anew or removed with their heads", async () => {
    const subject = await make()
    const { audit } = subject.store
    await filled(subject)
    const kept = await audit.heads(acme)
    await audit.record(chat, { type: "more" })
    expect(await audit.verify(acme, { kept })).toBeUndefined()

    const [fourth] = await subject.sql(`SELECT hash FROM audit WHERE link = 4`)
    await subject.sql(
      `DELETE FROM audit WHERE link > 4; UPDATE audit_heads SET links = 4, hash = '${fourth?.["hash"]}'`,
    )
    expect(await audit.verify(acme)).toBeUndefined()
    expect(await audit.verify(acme, { kept })).toEqual({ namespace: chat, link: 5, reason: "missing" })

    await audit.record(chat, { type: "anew" })
    expect(await audit.verify(acme)).toBeUndefined()
    expect(await audit.verify(acme, { kept })).toEqual({ namespace: chat, link: 5, reason: "changed" })

    await subject.sql("DELETE FROM audit; DELETE FROM audit_heads")
    expect(await audit.verify(acme)).toBeUndefined()
    expect(await audit.verify(acme, { kept })).toEqual({ namespace: chat, link: 1, reason: "missing" })
  })

  test("erasing takes what identifies and leaves a chain that can be verified", async () => {
    const subject = await make()
    await filled(subject)
    await filled(subject, acme.child("bob"))
    await subject.store.erase?.(ada)
    const rows = JSON.stringify([
      await subject.sql("SELECT * FROM audit WHERE ns <> 'tenant:acme:bob'"),
      await subject.sql("SELECT * FROM audit_heads"),
    ])
    expect(rows).not.toContain("canary-ada")
    expect(rows).not.toContain(ada.key)
    const { items } = await subject.store.audit.list(acme)
    const nameless = items.filter(({ namespace }) => !namespace.equals(acme.child("bob")))
    expect(nameless.map(({ link }) => link)).toEqual([1, 2, 3, 4, 5, 6])
    expect(nameless.at(-1)?.events).toMatchObject([{ type: "erased" }])
    expect(nameless[0]?.events[1]).toMatchObject({
      type: "tool_intent",
      name: "send_email",
      decision: "allow",
    })
    expect(nameless[2]?.events[0]?.["by"]).toMatch(/^[0-9a-f]{64}$/)
    expect(await subject.store.audit.verify(acme)).toBeUndefined()

    const [chain] = nameless
    await subject.sql(`DELETE FROM audit WHERE ns = '${chain?.namespace.key}' AND link = 2`)
    expect(await subject.store.audit.verify(acme)).toMatchObject({ link: 2, reason: "missing" })

    // Of a whole tenant, and of what was erased before.
    await subject.store.erase?.(Namespace.of("tenant"))
    expect(JSON.stringify(await subject.sql("SELECT * FROM audit_heads"))).not.toContain("acme")
    expect((await subject.store.audit.list(Namespace.of("erased"))).items.length).toBeGreaterThan(6)
  })

  test(`${name} closes, and the audit with it`, async () => {
    const { store } = await make()
    await store.close()
    await expect(store.audit.verify(acme)).rejects.toMatchObject({ code: "store_closed" })
  })
})
