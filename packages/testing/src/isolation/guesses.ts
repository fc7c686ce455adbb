import { pin, readHistory, unpin } from "@orra/core"
import { errorText, type Shared, type Tenant } from "./tenants.ts"

/** Asks with an id, and says what came back. */
type Guess = (shared: Shared, tenant: Tenant, id: string) => Promise<unknown>

/** Ids of one tenant that another could have seen or guessed, and how it would use them. */
export interface GuessableId {
  readonly what: string
  /** The id as its owner knows it. */
  readonly of: (shared: Shared, owner: Tenant) => Promise<string>
  readonly use: Guess
  /** An id of that kind that nobody has. */
  readonly unknown: string
}

/** Past the end of the guesser's own log, and inside the owner's. */
const lastSeq = async ({ store }: Shared, { chat }: Tenant): Promise<string> =>
  String((await store.info(chat))?.version ?? 0)

const bySeq = (
  what: string,
  use: (shared: Shared, tenant: Tenant, seq: number) => Promise<unknown>,
): GuessableId => ({
  what: `a message's number: ${what}`,
  of: lastSeq,
  use: (shared, tenant, id) => use(shared, tenant, Number(id)),
  unknown: "987654",
})

export const guessableIds: readonly GuessableId[] = [
  {
    what: "a run",
    of: async ({ store }, { chat }) => {
      const [started] = await store.read(chat, { types: ["run_started"], direction: "backward", limit: 1 })
      return started?.type === "run_started" ? started.runId : ""
    },
    use: ({ runtime }, { chat }, id) => runtime.result(chat, id),
    unknown: "no-such-run",
  },
  {
    what: "a waiting message",
    of: async () => "only-the-owner's",
    use: ({ runtime }, { chat }, id) => runtime.cancelInput(chat, id),
    unknown: "no-such-input",
  },
  bySeq("edit", ({ runtime }, { chat }, seq) => runtime.edit(chat, seq, "mine now")),
  bySeq("regenerate", ({ runtime }, { chat }, seq) => runtime.regenerate(chat, seq)),
  bySeq("switchBranch", ({ runtime }, { chat }, seq) => runtime.switchBranch(chat, seq)),
  bySeq("pin", ({ runtime }, { chat }, seq) => pin(runtime, chat, seq)),
  bySeq("unpin", ({ runtime }, { chat }, seq) => unpin(runtime, chat, seq)),
  bySeq("history", async ({ runtime }, { chat }, before) => readHistory(runtime, chat, { before })),
  {
    what: "an approval",
    of: async ({ runtime, approvals }, { root, canary }) => {
      await runtime.run(root.child("payments"), `${canary} wants to pay`)
      return (await approvals.list(root))[0]?.approvalId ?? ""
    },
    use: async ({ approvals }, { chat }, id) =>
      approvals.decide(chat, id, { decision: "approve", by: "somebody" }),
    unknown: "no-such-approval",
  },
  {
    what: "a rule of approval",
    of: async ({ approvals }, { root, canary }) =>
      (await approvals.approveEverything(root, { by: canary, forMs: 60_000 })).ruleId,
    use: async ({ approvals }, { root }, id) => approvals.revoke(root, id, { by: "somebody" }),
    unknown: "no-such-rule",
  },
  {
    what: "a cursor of a session's events",
    of: lastSeq,
    use: async ({ runtime }, { chat }, id) => {
      const events: unknown[] = []
      for await (const event of runtime.subscribe(chat, { after: Number(id) }))
        if (events.push(event) === 3) break
      return events
    },
    unknown: "987654",
  },
  {
    what: "a session",
    of: async (_, { chat }) => chat.segments.at(-1) ?? "",
    use: async ({ runtime }, { root }, id) => {
      const session = root.child("nested", id)
      return [await runtime.info(session), await readHistory(runtime, session), await runtime.delete(session)]
    },
    unknown: "no-such-session",
  },
  {
    what: "a record",
    of: async ({ store }, { root }) => {
      await store.records("guessed").put(root, "only-the-owner's", "secret")
      return "only-the-owner's"
    },
    use: async ({ store }, { root }, id) => {
      const records = store.records("guessed")
      const cursor = `${root.key}\n${id}`
      return [
        await records.get(root, id),
        await records.delete(root, id),
        await records.list(root, { cursor }),
      ]
    },
    unknown: "no-such-record",
  },
]

/** What comes back, or which error. */
export async function answer(
  { use }: GuessableId,
  shared: Shared,
  tenant: Tenant,
  id: string,
): Promise<unknown> {
  try {
    return { answer: await use(shared, tenant, id) }
  } catch (error) {
    return { error: errorText(error) }
  }
}
