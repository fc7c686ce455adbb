import { Approvals, MemoryStore, Namespace, PolicyRegistry, Runtime, tool } from "@orra/core"
import type { Notice } from "@orra/cron"
import { call, hang, scriptedProvider } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { Chatting } from "./chatting.ts"
import { delivery } from "./delivery.ts"

const web = Namespace.of("web")
const chat = web.child("chat")
const signal = AbortSignal.any([])

/** What is told to a runtime whose chat goes as the script says. */
function place(script: Parameters<typeof scriptedProvider>[0]) {
  const chatting = new Chatting()
  const pay = tool({
    name: "pay",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: () => "paid",
  })
  const store = new MemoryStore()
  const runtime = new Runtime({
    provider: scriptedProvider(script, { otherwise: "Hello." }),
    store,
    tools: [pay],
    approvals: new Approvals(),
    hooks: [chatting.hooks],
    policies: new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } }),
  })
  onTestFinished(() => runtime.close())
  const posted: [string, string][] = []
  const tell = delivery({
    runtime,
    chatting,
    discord: Namespace.of("discord"),
    poster: async () => ({ post: async (channel, text) => void posted.push([channel, text]) }),
  })
  const told = (notice: Partial<Notice>) =>
    tell(
      {
        namespace: web,
        key: "k",
        type: "finished",
        job: { id: "0123456789abcdef", name: "news" },
        due: 0,
        outcome: "completed",
        text: "All is well.",
        ...notice,
      },
      signal,
    )
  const said = async (session: Namespace) =>
    (await store.read(session, { types: ["user"] })).flatMap((entry) =>
      entry.type === "user" && entry.message.origin?.kind === "schedule"
        ? entry.message.parts.slice(-1).map((part) => (part.type === "text" ? part.text : ""))
        : [],
    )
  return { runtime, chatting, posted, told, said }
}

const own = web.child("job-0123456789abcdef")

test("while the chat is answered it waits, and is told once however often", async () => {
  const { runtime, told, said } = place([hang()])
  const { runId = "" } = await runtime.submit(chat, "Work.")
  await expect.poll(() => runtime.isRunning(chat)).toBe(true)
  const telling = told({ to: "chat:web:chat" })
  await runtime.stop(chat)
  await runtime.result(chat, runId)
  await telling
  await told({ to: "chat:web:chat" })
  expect(await said(chat)).toEqual(["All is well."])
  expect(await runtime.info(own)).toBeUndefined()
})

test("a chat that waits for somebody's decision is left alone, and so is one that was deleted or never was", async () => {
  const { runtime, told, said } = place([call("pay")])
  expect((await runtime.run(chat, "Pay.")).outcome).toBe("waiting")
  await told({ to: "chat:web:chat" })
  expect(await said(chat)).toEqual([])
  expect(await said(own)).toEqual(["All is well."])
  expect((await runtime.info(own))?.metadata).toEqual({ title: "news" })
  await runtime.run(web.child("old"), "Hi.")
  await runtime.update(web.child("old"), { deletedAt: 1 })
  await told({ to: "chat:web:old", key: "k2" })
  await told({ to: "chat:web:none", key: "k3" })
  expect(await said(own)).toHaveLength(3)
})

test("what was made of strangers' words taints the chat, and nothing else does", async () => {
  const { runtime, told } = place([])
  await told({ key: "k1" })
  expect((await runtime.internals.logs.open(own)).tainted).toBe(false)
  await told({ key: "k2", tainted: true })
  expect((await runtime.internals.logs.open(own)).tainted).toBe(true)
})

test("in Discord it is said in the channel, and known in the session; a failure and a pause are told as well", async () => {
  const { runtime, told, said, posted } = place([])
  const session = Namespace.of("discord", "dm", "300000000000000001", "300000000000000002")
  await runtime.run(session, "Hi.")
  await told({ namespace: session, to: `chat:${session.key}` })
  expect(posted).toEqual([["300000000000000001", "**news**\nAll is well."]])
  expect(await said(session)).toEqual(["All is well."])
  const error = { code: "provider_auth", message: "The key was refused." }
  await told({ to: "channel:300000000000000003", outcome: "failed", text: "", error })
  await told({ to: "channel:300000000000000003", type: "paused", text: "", error })
  expect(posted.slice(1).map(([, text]) => text)).toEqual([
    "**news**\nThis did not work: The key was refused.",
    "**news**\nThis job is paused. The key was refused.",
  ])
})

test("quiet is when nobody below is answered: jobs, delegations and who waits for a decision disturb nobody", async () => {
  const { runtime, chatting } = place([hang()])
  const isQuiet = async (below: Namespace): Promise<boolean> => {
    let over = false
    void chatting.quiet(below, 60_000, signal).then(() => {
      over = true
    })
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    return over
  }
  const { runId = "" } = await runtime.submit(chat, "Work.")
  await expect.poll(() => isQuiet(web)).toBe(false)
  expect(await isQuiet(Namespace.of("ada"))).toBe(true)
  expect(await isQuiet(web.child("other"))).toBe(true)
  await chatting.quiet(web, 1, signal)
  await chatting.quiet(web, 60_000, AbortSignal.abort())
  await runtime.stop(chat)
  await runtime.result(chat, runId)
  await chatting.quiet(web, 60_000, signal)
})
