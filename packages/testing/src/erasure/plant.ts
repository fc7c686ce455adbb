import { createHash } from "node:crypto"
import { type Approvals, Namespace, Projects, type Runtime, type SessionStore } from "@orra/core"
import { operations, perform } from "../isolation/operations.ts"
import { leftBehind, shared, type Tenant } from "../isolation/tenants.ts"

/** Two tenants of one runtime, in whose names everything was done that a runtime can do. */
export interface Planted {
  readonly runtime: Runtime
  readonly approvals: Approvals
  /** What is to be erased, and a text that is in all of it. */
  readonly gone: { readonly root: Namespace; readonly canary: string }
  /** What is to stay. */
  readonly kept: { readonly root: Namespace; readonly canary: string }
}

/**
 * Plants a canary, a text that is nowhere else, for each of two tenants: in the segments of their namespaces, in
 * messages, answers, arguments and results of tools, metadata and titles, drafts, approvals and their rules, budgets,
 * projects, delegated sessions, leases, keys and values of records, in small and in large.
 */
export async function plantCanaries(store: SessionStore): Promise<Planted> {
  const both = [tenant("canary-zebra-quartz"), tenant("canary-mango-velvet")] as const
  const all = shared(store, both)
  const projects = new Projects(store, { ownerDepth: 2 })
  for (const [name, each] of Object.keys(operations).flatMap((name) =>
    both.map((one) => [name, one] as const),
  ))
    await perform(name, all, each)
  for (const each of both) await plantBeside(store, projects, each)
  const [gone, kept] = both
  return { runtime: all.runtime, approvals: all.approvals, gone, kept }
}

function tenant(canary: string): Tenant {
  const root = Namespace.of("tenant", canary)
  return {
    name: canary,
    canary,
    root,
    chat: root.child(`chat-${canary}`),
    other: root.child("other"),
    seen: [],
  }
}

/** What no method of a runtime leaves behind by itself. */
async function plantBeside(store: SessionStore, projects: Projects, tenant: Tenant): Promise<void> {
  const { root, canary } = tenant
  await projects.create(root, { id: canary, name: canary, description: canary })
  // A run whose process died: with its lease, and with a draft.
  const dead = root.child("dead", canary, "~agents", `run-${canary}`, "call")
  const lease = await store.acquire(dead, `owner-${canary}`, 1)
  const draft = { type: "delta", at: 1, runId: canary, messageId: canary } as const
  await store.append(dead, [{ type: "meta", at: 1, patch: { title: canary, deletedAt: 1 } }], { expected: 0 })
  const died = root.child("died")
  const held = await store.acquire(died, canary, 60_000)
  if (!held) throw new Error("The lease is taken.")
  await store.append(died, [...leftBehind(tenant), { ...draft, pieces: [{ type: "text", text: canary }] }], {
    expected: 0,
    lease: held,
  })
  await store.release(held)
  if (lease) await store.release(lease)
  const records = store.records("notes")
  const plant = async (index: number): Promise<void> => {
    const [ns, key] = [root.child(`${index % 7}`, canary), `${index}-${canary}`]
    // Written, written again and removed: what is left must not lie anywhere, whatever pages it has been on.
    await records.put(ns, key, text(canary, index, 40 + (index % 11) * 300))
    if (index % 3 === 0) await records.put(ns, key, text(canary, -index, 4_000))
    if (index % 5 === 0) await records.delete(ns, key)
    const patch = { title: `${canary} ${index}`, note: text(canary, index, (index % 13) * 500) }
    await store.append(root.child("many", `${index}`), [{ type: "meta", at: index, patch }], { expected: 0 })
  }
  await Promise.all(Array.from({ length: 300 }, (_, index) => plant(index)))
  for (const index of [1, 2, 3]) {
    const patch = { note: text(canary, index, 200_000) }
    await store.append(root.child("large"), [{ type: "meta", at: 1, patch }], { expected: index - 1 })
  }
}

/** Canaries between what no compression makes smaller, so that they stay as they are on any disk. */
function text(canary: string, seed: number, length: number): string {
  let all = canary
  for (let block = 0; all.length < length; block++) {
    all +=
      createHash("sha512").update(`${seed} ${block}`).digest("base64url") + (block % 8 === 0 ? canary : "")
  }
  return all
}
