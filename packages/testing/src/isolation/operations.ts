import {
  compact,
  eraseNamespace,
  exportNamespace,
  pin,
  readHistory,
  type SessionStore,
  unpin,
} from "@orra/core"
import { allEntries, errorText, type Shared, type Tenant } from "./tenants.ts"

/** Something a tenant does, and what it is told. Errors are noted like answers. */
export type Operation = (shared: Shared, tenant: Tenant) => Promise<unknown>

const seqOf = async (store: SessionStore, { chat }: Tenant, type: "user" | "assistant"): Promise<number> =>
  (await store.read(chat, { types: [type], limit: 1 }))[0]?.seq ?? 1

const drained = async (events: AsyncIterable<unknown>, atMost = 200): Promise<readonly unknown[]> => {
  const all: unknown[] = []
  for await (const event of events) if (all.push(event) >= atMost) break
  return all
}

/** Everything a runtime can be asked, by the method that is asked. Every id is the same for both tenants. */
export const operations: Readonly<Record<string, Operation>> = {
  run: ({ runtime }, { chat, canary }) => runtime.run(chat, `${canary} says run`, { inputId: "input-run" }),
  stream: ({ runtime }, { chat, canary }) =>
    drained(runtime.stream(chat, `${canary} says stream`, { inputId: "input-stream" })),
  submit: async ({ runtime }, { chat, canary }) => {
    const modes = ["queue", "steer", "interrupt", "reject"] as const
    return await Promise.allSettled(
      modes.map((whenBusy) =>
        runtime.submit(chat, `${canary} says ${whenBusy}`, { whenBusy, inputId: `input-${whenBusy}` }),
      ),
    ).then((ends) => ends.map((end) => (end.status === "rejected" ? errorText(end.reason) : end.value)))
  },
  follow: async ({ runtime }, { chat, canary }) =>
    drained(
      runtime.follow(await runtime.submit(chat, `${canary} says follow break`, { inputId: "input-follow" })),
    ),
  resume: ({ runtime }, { chat }) => runtime.resume(chat),
  regenerate: async ({ runtime, store }, tenant) =>
    runtime.regenerate(tenant.chat, await seqOf(store, tenant, "assistant")),
  edit: async ({ runtime, store }, tenant) =>
    runtime.edit(tenant.chat, await seqOf(store, tenant, "user"), `${tenant.canary} edits fail`),
  switchBranch: async ({ runtime, store }, tenant) =>
    runtime.switchBranch(tenant.chat, await seqOf(store, tenant, "assistant")),
  stop: ({ runtime }, { chat }) => runtime.stop(chat),
  cancelInput: ({ runtime }, { chat }) => runtime.cancelInput(chat, "input-queue"),
  isRunning: async ({ runtime }, { chat }) => runtime.isRunning(chat),
  result: async ({ runtime, store }, { chat }) => {
    const [end] = await store.read(chat, { types: ["run_finished"], limit: 1 })
    return runtime.result(chat, end?.type === "run_finished" ? end.runId : "none")
  },
  subscribe: async ({ runtime, store }, { chat }) => {
    const { length } = await allEntries(store, chat)
    return drained(runtime.subscribe(chat, { after: 0 }), Math.min(length, 20))
  },
  watch: async ({ runtime }, { root, canary, other }) => {
    await runtime.run(other, `${canary} is watched`)
    const changes = runtime.watch(root)
    // Watching begins when it is asked for the first change.
    let next = changes.next()
    await runtime.update(other, { title: canary })
    const told: unknown[] = []
    while (!JSON.stringify(told).includes(canary)) {
      told.push(await next)
      next = changes.next()
    }
    changes.return(undefined).catch(() => {})
    return told
  },
  history: ({ runtime }, { chat }) => readHistory(runtime, chat, { limit: 50 }),
  info: ({ runtime }, { chat }) => runtime.info(chat),
  list: ({ runtime }, { root, canary }) =>
    Promise.all([runtime.list(root), runtime.list(root, { title: "canary", limit: 1 }), canary]),
  update: ({ runtime }, { chat, canary }) =>
    runtime.update(chat, { title: `canary of ${canary}`, workingDirectory: canary }),
  pin: async ({ runtime, store }, tenant) => pin(runtime, tenant.chat, await seqOf(store, tenant, "user")),
  unpin: async ({ runtime, store }, tenant) =>
    unpin(runtime, tenant.chat, await seqOf(store, tenant, "user")),
  compact: ({ runtime }, { chat }) => compact(runtime, chat),
  approve: async ({ runtime, approvals }, { root, canary }) => {
    const session = root.child("payments")
    const run = await runtime.run(session, `${canary} wants to pay`, { principal: canary })
    const waiting = await approvals.list(root)
    const [first] = waiting
    const decided = waiting.map(({ namespace, approvalId }, index) =>
      approvals.decide(namespace, approvalId, {
        decision: index % 2 === 0 ? "approve" : "deny",
        by: canary,
        note: canary,
        remember: { calls: "tool", scope: root },
      }),
    )
    const ends = await Promise.allSettled(decided)
    for await (const event of runtime.subscribe(session, { after: 0 }))
      if (event.type === "run_finished" && event.runId === run.runId) break
    const rules = await approvals.rules(root)
    const everything = await approvals.approveEverything(session, { by: canary, forMs: 60_000 })
    const revoked = await approvals.revoke(root, rules[0]?.ruleId ?? "", { by: canary })
    return [run, waiting, first, ends, rules, everything, revoked, await readHistory(runtime, session)]
  },
  spend: async ({ budgets }, { root, canary }) => [await budgets.state(root), canary],
  delete: async ({ runtime }, { root, canary }) => {
    const doomed = root.child("doomed")
    await runtime.run(doomed, `${canary} will be gone`)
    return await runtime.delete(doomed)
  },
  detach: async ({ runtime }, { chat }) => runtime.detach(chat),
  wake: ({ runtime }, { chat }) => runtime.wake(chat),
  recover: ({ runtime }, { root }) => runtime.recover(root),
  records: async ({ store }, { root, canary }) => {
    const records = store.records("shared")
    await records.put(root, "key", canary)
    await records.write([{ namespace: root, key: "second", value: { canary } }])
    const kept = [await records.get(root, "key"), await records.list(root, { below: true, limit: 1 })]
    return [...kept, await records.delete(root, "second")]
  },
  export: async ({ store }, { root }) => drained(exportNamespace(store, root), 10_000),
  erase: async ({ runtime, store }, { root, canary }) => {
    const gone = root.child("gone")
    await runtime.run(gone, `${canary} will be erased`)
    await store.records("shared").put(gone.child("below"), "key", canary)
    await eraseNamespace(runtime, gone)
    return await drained(exportNamespace(store, gone))
  },
  read: async ({ store }, { chat }) => [await allEntries(store, chat), await store.info(chat)],
}

/** Does it, and notes for the tenant whatever came of it. */
export async function perform(name: string, shared: Shared, tenant: Tenant): Promise<void> {
  try {
    tenant.seen.push({ through: name, what: await operations[name]?.(shared, tenant) })
  } catch (error) {
    tenant.seen.push({ through: `${name} failed`, what: errorText(error) })
  }
}
