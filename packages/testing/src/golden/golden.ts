import {
  Approvals,
  Namespace,
  type NewEntry,
  PolicyRegistry,
  Runtime,
  readHistory,
  type SessionStore,
  type Tool,
  tool,
} from "@orra/core"
import { type ScriptedProvider, scriptedProvider } from "../scripted-provider.ts"

/** One call of `append`, as it was made. */
export interface GoldenAppend {
  readonly entries: readonly NewEntry[]
  readonly dropDeltas?: { readonly from: number; readonly to: number }
}

/** A session as a released version wrote it, and what that version made of it. */
export interface Golden {
  readonly namespace: string
  readonly appends: readonly GoldenAppend[]
  readonly meaning: unknown
}

/** Writes the session into a store, append by append. */
export async function replay(store: SessionStore, { namespace, appends }: Golden): Promise<void> {
  const ns = Namespace.parse(namespace)
  const lease = await store.acquire(ns, "golden", 60_000)
  let expected = 0
  for (const { entries, dropDeltas } of appends) {
    const written = await store.append(ns, entries, {
      expected,
      ...(lease && { lease }),
      ...(dropDeltas && { dropDeltas }),
    })
    expected = written.at(-1)?.seq ?? expected
  }
  if (lease) await store.release(lease)
}

/** The tools that the sessions have used. */
export function goldenTools(ran: string[] = []): readonly Tool[] {
  const make = (name: string, more: { untrusted?: boolean; risk?: "read" | "write" } = {}): Tool =>
    tool<{ what?: string }>({
      name,
      description: `To ${name}.`,
      input: { type: "object", properties: { what: { type: "string" } } },
      risk: "read",
      ...more,
      execute: ({ what = "it" }) => {
        ran.push(`${name} ${what}`)
        if (what === "trouble") throw new Error("There was trouble.")
        return `${name}: ${what}`
      },
    })
  return [
    make("look"),
    make("browse", { untrusted: true, risk: "write" }),
    make("charge", { risk: "write" }),
    make("pay"),
  ]
}

export const goldenPolicies = (): PolicyRegistry =>
  new PolicyRegistry({ base: { deny: ["charge"], ask: ["pay"], allow: ["*"] } })

/** A runtime for such a session. Its name is that of the dead: nobody has to wait for a lease. */
export function goldenRuntime(
  store: SessionStore,
  provider: ScriptedProvider,
  ran: string[] = [],
): { readonly runtime: Runtime; readonly approvals: Approvals } {
  const approvals = new Approvals({ ttlMs: 100 * 365 * 24 * 3_600_000 })
  const runtime = new Runtime({
    provider,
    store,
    approvals,
    tools: goldenTools(ran),
    policies: goldenPolicies(),
    owner: "golden",
    deltaIntervalMs: 0,
  })
  return { runtime, approvals }
}

/**
 * What a session means: its summary, what a person sees of it, what waits, and what the model is sent when it goes on,
 * after each call that waits was approved, or with another message.
 */
export async function meaningOf(store: SessionStore, namespace: string): Promise<unknown> {
  const ns = Namespace.parse(namespace)
  const provider = scriptedProvider([], { otherwise: "It goes on." })
  const ran: string[] = []
  const { runtime, approvals } = goldenRuntime(store, provider, ran)
  const info = await runtime.info(ns)
  const history = await readHistory(runtime, ns)
  const waiting = await approvals.list(ns)
  for (const { approvalId } of waiting)
    await approvals.decide(ns, approvalId, { decision: "approve", by: "ann" })
  if (waiting.length > 0) {
    for await (const event of runtime.subscribe(ns, { after: info?.version ?? 0 }))
      if (event.type === "run_finished") break
  } else {
    await runtime.run(ns, "And now?")
  }
  await runtime.close()
  const shown = {
    info,
    entries: history?.entries,
    forks: history?.forks,
    queued: history?.queued,
    pins: history?.pins,
    waiting,
    ran,
    sent: provider.requests.map(({ messages, tools }) => ({
      messages,
      tools: tools.map(({ name }) => name),
    })),
  }
  return JSON.parse(JSON.stringify(shown))
}
