// A process of the tests with many of them: a runtime that does what it is told, whose model does what the message says.

import {
  Approvals,
  Budgets,
  errorMessage,
  type ModelRequest,
  messageText,
  Namespace,
  OrraError,
  PENDING,
  Peers,
  PolicyRegistry,
  type Provider,
  type Records,
  type RunEvent,
  type RunOptions,
  Runtime,
  tool,
} from "@orra/core"
import { heard, say } from "@orra/testing/process"
import { postgresStore } from "./postgres-store.ts"
import { sqliteStore } from "./sqlite-store.ts"

export interface PeerOptions {
  /** A file, or the URL of a server. */
  readonly place: string
  readonly name: string
  /** Below this segment of all. */
  readonly takeOver?: string
  readonly resume?: boolean
  /** What its clock is ahead of the machine's, in ms. */
  readonly shift?: number
  readonly leaseTtlMs?: number
  readonly approvalTtlMs?: number
}

type Told =
  | { readonly do: "run" | "submit"; readonly text: string; readonly options?: RunOptions }
  | { readonly do: "edit"; readonly seq: number; readonly text: string }
  | { readonly do: "stop" | "detach" | "wake" | "approve" | "grant" | "delete" | "recover" }
  | { readonly do: "cancel"; readonly inputId: string }
  /** Says each event, until the session's run ends. */
  | { readonly do: "follow"; readonly after: number }
  /** Says each change of a session below. */
  | { readonly do: "watch" }
  /** Lets the model say its next piece in answer to this message. */
  | { readonly do: "piece"; readonly of: string }
  | { readonly do: "close" }

export type Command = Told & { readonly op: number; readonly session: string }

export type Reply =
  | { readonly type: "ready" }
  | { readonly type: "ok"; readonly op: number; readonly value: unknown }
  | { readonly type: "failed"; readonly op: number; readonly code: string }
  | { readonly type: "event"; readonly op: number; readonly event: RunEvent }
  | { readonly type: "change"; readonly session: string; readonly version: number | undefined }
  | { readonly type: "asked" | "executed"; readonly what: string }
  | { readonly type: "trouble"; readonly message: string }

export const ACME = Namespace.of("acme")
/** Places where the model can be called once. */
export const TIGHT = ["tight-early", "tight-late"] as const
export const RESERVATION_MS = 60_000

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }))

/** Pieces that the model may say, for each "slow" message. */
const pieces = new Map<string, number>()
let onPiece = (): void => {}

/**
 * What the last message says, "call <tool>" or something to be said. "hang ..." is never finished, "slow ..." is said piece by
 * piece as the parent allows it.
 */
async function* answer({ messages }: ModelRequest, { signal }: { readonly signal: AbortSignal }) {
  const last = messages.at(-1)
  const text = last?.role === "user" ? messageText(last) : ""
  await say({ type: "asked", what: text } satisfies Reply)
  const usage = { inputTokens: 10, outputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0 }
  const [, name] = /^call (\w+)$/.exec(text) ?? []
  if (name) {
    const call = { type: "tool_call", id: `call-${messages.length}`, name, arguments: {} } as const
    yield {
      type: "done",
      message: { role: "assistant", parts: [call] },
      finishReason: "tool_calls",
      usage,
    } as const
    return
  }
  let said = ""
  if (text.startsWith("hang")) {
    yield { type: "text", text: "Half" } as const
    await never(signal)
  }
  for (let count = 0; text.startsWith("slow") && count < 5; count++) {
    while ((pieces.get(text) ?? 0) <= count) await new Promise<void>((resolve) => (onPiece = resolve))
    said += `${count} `
    yield { type: "text", text: `${count} ` } as const
  }
  said ||= text === "" ? "Done." : `You said ${text}.`
  const message = { role: "assistant", parts: [{ type: "text", text: said }] } as const
  yield { type: "done", message, finishReason: "stop", usage } as const
}

const model: Provider = { id: "told", model: "told", stream: answer }

const begins = (name: string): Promise<void> => say({ type: "executed", what: name } satisfies Reply)
const described = { description: "", input: { type: "object" } } as const

/** `first`: it is the process whose tools hang when they are told to. */
const tools = (first: boolean, arrivals: Records) => [
  tool({
    ...described,
    name: "keyed",
    risk: "write",
    idempotent: true,
    execute: async (_, { idempotencyKey, signal }) => {
      await begins(`keyed ${idempotencyKey}`)
      return first ? await never(signal) : "kept its key"
    },
  }),
  tool({
    ...described,
    name: "once",
    risk: "write",
    execute: async (_, { signal }) => {
      await begins("once")
      return await never(signal)
    },
  }),
  tool({
    ...described,
    name: "pay",
    risk: "write",
    execute: async () => {
      await begins("pay")
      return "paid"
    },
  }),
  tool({
    ...described,
    name: "later",
    risk: "read",
    idempotent: true,
    execute: async (_, { namespace }) => {
      await begins("later")
      return (await arrivals.get(namespace, "it")) ? "it came" : PENDING
    },
  }),
]

async function main(options: PeerOptions): Promise<void> {
  const {
    place,
    name,
    shift = 0,
    leaseTtlMs = 1_500,
    approvalTtlMs = 60_000,
    takeOver,
    resume = true,
  } = options
  const real = Date.now
  Date.now = () => real() + shift
  const isServer = place.startsWith("postgres:")
  const store = isServer
    ? await postgresStore({ url: place, maxConnections: 4 })
    : await sqliteStore({ path: place })
  const prefix = takeOver === undefined ? [] : takeOver === "" ? ACME : ACME.child(takeOver)
  const peers = await Peers.join(store, { takeOver: prefix, resume })
  const policies = new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } })
  const approvals = new Approvals({ ttlMs: approvalTtlMs })
  const budgets = new Budgets({ store, reservationMs: RESERVATION_MS })
  budgets.set(ACME.child("poor"), { per: "ever", modelCalls: 1, atLimit: "ask" })
  for (const tight of TIGHT) budgets.set(ACME.child(tight), { per: "ever", modelCalls: 1 })
  const arrivals = store.records("arrivals")
  const runtime = new Runtime({
    provider: model,
    store,
    peers,
    policies,
    approvals,
    budgets,
    owner: name,
    tools: tools(name === "a", arrivals),
    leaseTtlMs,
    deltaIntervalMs: 0,
    onError: (error) => void say({ type: "trouble", message: errorMessage(error) } satisfies Reply),
  })

  const carryOut = async (command: Command): Promise<unknown> => {
    const { op } = command
    const session = Namespace.parse(command.session)
    switch (command.do) {
      case "run":
        return await runtime.run(session, command.text, command.options)
      case "submit":
        return await runtime.submit(session, command.text, command.options)
      case "edit":
        return await runtime.edit(session, command.seq, command.text)
      case "stop":
        return await runtime.stop(session)
      case "detach":
        return await runtime.detach(session)
      case "delete":
        return await runtime.delete(session)
      case "cancel":
        return await runtime.cancelInput(session, command.inputId)
      case "recover":
        return (await runtime.recover(session)).length
      case "wake":
        // Whichever process goes on with the run finds it.
        await arrivals.put(session, "it", true)
        return await runtime.wake(session)
      case "grant":
        await budgets.grant(ACME.child("poor"), { per: "ever", unit: "modelCalls", amount: 5 })
        return await runtime.wake(session)
      case "approve": {
        const [pending] = await approvals.list(session)
        if (!pending) throw new Error("nothing waits")
        await approvals.decide(session, pending.approvalId, { decision: "approve", by: name })
        return undefined
      }
      case "piece":
        pieces.set(command.of, (pieces.get(command.of) ?? 0) + 1)
        onPiece()
        return undefined
      case "follow":
        for await (const event of runtime.subscribe(session, { after: command.after })) {
          await say({ type: "event", op, event } satisfies Reply)
          if (event.type === "run_finished") break
        }
        return undefined
      case "watch":
        for await (const change of runtime.watch(session)) {
          const info = change.type === "session" ? change.info : undefined
          const { key } = info?.namespace ?? (change.type === "session" ? session : change.namespace)
          await say({ type: "change", session: key, version: info?.version } satisfies Reply)
        }
        return undefined
      case "close":
        await runtime.close()
        await store.close()
        return undefined
    }
  }
  await say({ type: "ready" } satisfies Reply)
  for await (const command of heard<Command>()) {
    const { op } = command
    const done = carryOut(command).then(
      (value) => say({ type: "ok", op, value } satisfies Reply),
      (error: unknown) =>
        say({
          type: "failed",
          op,
          code: error instanceof OrraError ? error.code : errorMessage(error),
        } satisfies Reply),
    )
    if (command.do !== "close") continue
    await done
    break
  }
}

const [, script, given] = process.argv
if (script === import.meta.filename && given !== undefined) await main(JSON.parse(given) as PeerOptions)
