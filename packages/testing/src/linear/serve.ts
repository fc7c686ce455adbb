import {
  Approvals,
  errorMessage,
  Namespace,
  OrraError,
  Peers,
  PolicyRegistry,
  Runtime,
  type SessionStore,
} from "@orra/core"
import { heard, say } from "../process.ts"
import { type Action, type Answer, type HistoryEvent, historyWriter } from "./history.ts"
import { ROOT, worldProvider, worldTools } from "./world.ts"

/** What a process of a trial is told. */
export interface Command {
  readonly op: number
  readonly action: Action | { readonly type: "pending" } | { readonly type: "close" }
}

/** A call that waits for a decision. */
export interface Pending {
  readonly session: string
  readonly approvalId: string
}

interface Done {
  readonly type: "ok"
  readonly answer?: Answer
  readonly done?: boolean
  readonly pending?: readonly Pending[]
}

interface Refused {
  readonly type: "error"
  readonly code: string
  readonly message: string
}

/** What it says: `op` 0 when it is ready. */
export type Reply = { readonly op: number } & (Done | Refused)

/** A session is locked for so long when its process dies. */
export const LEASE_MS = 1_500

/**
 * A process of a trial: a runtime on the store it is given, which does what it is told until it is told to close. It
 * writes to the history what it is about to append and what it has appended, what its model says and what its tools do.
 */
export async function serveTrial(store: SessionStore, history: string, name: string): Promise<void> {
  const write = historyWriter(history)
  const policies = PolicyRegistry.allowAll()
  policies.set(ROOT, { ask: ["pay"] })
  const approvals = new Approvals()
  const told = toldStore(store, write, name)
  const runtime = new Runtime({
    provider: worldProvider(write),
    store: told,
    peers: await Peers.join(told, { takeOver: ROOT }),
    tools: worldTools(write),
    policies,
    approvals,
    leaseTtlMs: LEASE_MS,
    deltaIntervalMs: 0,
    maxTurns: 50,
    onError: (error) => write({ type: "trouble", what: `${name}: ${errorMessage(error)}` }),
  })
  await say({ op: 0, type: "ok" } satisfies Reply)
  for await (const { op, action } of heard<Command>()) {
    if (action.type === "close") break
    carryOut(runtime, approvals, action)
      .catch((error: unknown): Refused => {
        const code = error instanceof OrraError ? error.code : "error"
        return { type: "error", code, message: errorMessage(error) }
      })
      .then((reply) => say({ op, ...reply }))
  }
  await runtime.close()
  await store.close()
}

async function carryOut(runtime: Runtime, approvals: Approvals, action: Command["action"]): Promise<Done> {
  switch (action.type) {
    case "send":
    case "ask": {
      const { type, session, text, inputId, whenBusy } = action
      const namespace = Namespace.parse(session)
      if (type === "send") {
        await runtime.submit(namespace, text, { inputId, whenBusy })
        return { type: "ok" }
      }
      const { runId, outcome, text: answer } = await runtime.run(namespace, text, { inputId, whenBusy })
      return { type: "ok", answer: { runId, outcome, text: answer } }
    }
    case "cancel":
      return {
        type: "ok",
        done: await runtime.cancelInput(Namespace.parse(action.session), action.inputId),
      }
    case "stop":
      return { type: "ok", done: await runtime.stop(Namespace.parse(action.session)) }
    case "decide": {
      const { session, approvalId, decision } = action
      await approvals.decide(Namespace.parse(session), approvalId, { decision, by: "eve" })
      return { type: "ok" }
    }
    case "pending": {
      const found = await approvals.list(ROOT)
      return {
        type: "ok",
        pending: found.map(({ namespace, approvalId }) => ({ session: namespace.key, approvalId })),
      }
    }
    case "close":
      return { type: "ok" }
  }
}

/** The store, whose appends are written down before and after. */
function toldStore(store: SessionStore, write: (event: HistoryEvent) => void, name: string): SessionStore {
  let writes = 0
  const append: SessionStore["append"] = async (namespace, entries, options) => {
    const id = `${name}/${++writes}`
    const { expected, lease } = options
    const types = entries.map(({ type }) => type)
    const facts = { session: namespace.key, expected, token: lease?.token, entries: types }
    write({ type: "writing", write: id, ...facts })
    const written = await store.append(namespace, entries, options)
    write({ type: "written", write: id })
    return written
  }
  return new Proxy(store, {
    get(target, property) {
      if (property === "append") return append
      const value: unknown = Reflect.get(target, property)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}
