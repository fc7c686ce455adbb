import {
  Approvals,
  Budgets,
  type Entry,
  type Hooks,
  Namespace,
  type NewEntry,
  OrraError,
  PolicyRegistry,
  type Provider,
  ProviderError,
  Runtime,
  type SessionStore,
  summarize,
  type Tool,
  tool,
  userMessage,
} from "@orra/core"
import { call, grammarProblem, say, scriptedProvider, think } from "../scripted-provider.ts"

/** One of two tenants that use the same ids for everything. */
export interface Tenant {
  readonly name: string
  /** In everything this tenant says, is told, or keeps. */
  readonly canary: string
  readonly root: Namespace
  readonly chat: Namespace
  readonly other: Namespace
  /** What reached this tenant, by what it came through. */
  readonly seen: { readonly through: string; readonly what: unknown }[]
}

export const tenants = (): readonly [Tenant, Tenant] => [tenant("acme"), tenant("acme2")]

/** One name begins like the other: a comparison of texts would take one for the other. */
function tenant(name: string): Tenant {
  const root = Namespace.of("tenant", name)
  const canary = name === "acme" ? "canary-zebra-quartz" : "canary-mango-velvet"
  return { name, canary, root, chat: root.child("chat"), other: root.child("other"), seen: [] }
}

const ownerOf = (all: readonly Tenant[], namespace: Namespace): Tenant => {
  const owner = all.find(({ root }) => root.contains(namespace))
  if (!owner) throw new Error(`Nobody owns ${namespace.key}.`)
  return owner
}

/** The text of an error as a caller, a page or a log could show it. */
export const errorText = (error: unknown): unknown =>
  error instanceof OrraError
    ? { code: error.code, message: error.message, details: error.details, cause: String(error.cause) }
    : String(error)

/** What both tenants use. */
export interface Shared {
  readonly runtime: Runtime
  readonly approvals: Approvals
  readonly budgets: Budgets
  readonly policies: PolicyRegistry
  readonly store: SessionStore
}

/**
 * What the tenants share: one runtime over one store, one provider, one tool, one list of hooks. Whatever these are
 * given is noted for the tenant in whose name they were asked.
 */
export function shared(store: SessionStore, all: readonly Tenant[]): Shared {
  const note = (namespace: Namespace, through: string, what: unknown): void => {
    ownerOf(all, namespace).seen.push({ through, what })
  }
  const memo: Tool = tool<{ text: string }>({
    name: "memo",
    description: "Keeps a text.",
    input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    risk: "write",
    execute: ({ text }, context) => {
      const { namespace, callId, idempotencyKey, metadata } = context
      note(namespace, "tool", { text, callId, idempotencyKey, metadata })
      context.progress(`keeping ${text}`)
      if (text.includes("fail")) throw new Error(`cannot keep ${text}`)
      return `kept ${text}`
    },
  })
  const payment: Tool = tool<{ text: string }>({
    name: "pay",
    description: "Needs somebody's approval.",
    input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
    risk: "write",
    execute: ({ text }, { namespace, principal, idempotencyKey }) => {
      note(namespace, "paid", { text, principal, idempotencyKey })
      return `paid ${text}`
    },
  })
  const forbidden: Tool = tool({
    name: "forbidden",
    description: "Nobody may.",
    input: { type: "object" },
    risk: "exec",
    execute: () => "never",
  })
  const policies = PolicyRegistry.allowAll()
  for (const { root } of all) policies.set(root, { deny: ["forbidden"], ask: ["pay"] })
  const hook: Hooks = {
    name: "notes",
    runStart: (context) => note(context.namespace, "runStart", context.metadata),
    beforeModel: (request, { namespace }) => {
      note(namespace, "request", request)
      return undefined
    },
    afterModel: (answer, { namespace }) => {
      note(namespace, "answer", answer)
      return undefined
    },
    beforeTool: (asked, { namespace }) => {
      note(namespace, "call", asked)
      return undefined
    },
    afterTool: (result, _, { namespace }) => {
      note(namespace, "result", result)
      return undefined
    },
    runEnd: (result, { namespace }) => note(namespace, "runEnd", result),
  }
  const approvals = new Approvals()
  const budgets = new Budgets({ store })
  for (const { root } of all) budgets.set(root, { per: "day", tokens: 10_000_000 })
  const runtime = new Runtime({
    provider: parrot(all),
    store,
    approvals,
    budgets,
    tools: [memo, payment, forbidden],
    compaction: summarize(),
    policies,
    hooks: [hook],
    systemPrompt: ({ namespace, metadata }) =>
      `You serve ${ownerOf(all, namespace).canary}. ${JSON.stringify(metadata)}`,
    deltaIntervalMs: 0,
    onError: () => {},
  })
  return { runtime, approvals, budgets, policies, store }
}

/** A model that answers in the words of whoever asks, with call ids that come again in every session. */
function parrot(all: readonly Tenant[]): Provider {
  return scriptedProvider([], {
    otherwise: ({ system, messages, tools }) => {
      const problem = grammarProblem(messages)
      if (problem) throw new Error(problem)
      const whole = `${system} ${JSON.stringify(messages)}`
      const canary = all.find((each) => whole.includes(each.canary))?.canary ?? "nobody"
      if (tools.length === 0) return `${canary} in short`
      const last = messages.at(-1)
      const text = JSON.stringify(last)
      if (last?.role === "tool") return [think(`${canary} thinks`), say(`${canary} `, "is done")]
      if (text.includes("break"))
        throw new ProviderError("overloaded", `No room for ${canary}.`, { provider: "parrot" })
      if (text.includes("pay")) return [call("pay", { text: canary }, "call_1")]
      return [
        say(`${canary} `, "asks"),
        call("memo", { text: `${canary} ${text.includes("fail") ? "fail" : "ok"}` }, "call_1"),
        call("forbidden", {}, "call_2"),
      ]
    },
  })
}

/** A session as a process that died has left it: with the same ids for everybody, and a call that may have run. */
export function leftBehind({ canary }: Tenant): readonly NewEntry[] {
  const at = 1_000
  const runId = "run-of-the-dead"
  return [
    { type: "user", at, inputId: "input-of-the-dead", message: userMessage(`${canary} began this`) },
    { type: "run_started", at, runId },
    {
      type: "assistant",
      at,
      runId,
      messageId: "message-of-the-dead",
      message: {
        role: "assistant",
        parts: [{ type: "tool_call", id: "call_1", name: "memo", arguments: { text: canary } }],
      },
      status: "complete",
    },
    {
      type: "tool_intent",
      at,
      runId,
      callId: "call_1",
      name: "memo",
      arguments: { text: canary },
      decision: "allow",
      reason: "default: default allow",
      idempotencyKey: `${runId}:0:memo:0`,
    },
  ]
}

/** All entries of a session. */
export async function allEntries(store: SessionStore, namespace: Namespace): Promise<readonly Entry[]> {
  return await store.read(namespace, { limit: 100_000 })
}
