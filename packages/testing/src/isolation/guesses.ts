import type { Runtime, SessionStore } from "@orra/core"
import { errorText, type Tenant } from "./tenants.ts"

/** Asks with an id, and says what came back. */
type Guess = (runtime: Runtime, tenant: Tenant, store: SessionStore, id: string) => Promise<unknown>

/** Ids of one tenant that another could have seen or guessed, and how it would use them. */
export interface GuessableId {
  readonly what: string
  /** The id as its owner knows it. */
  readonly of: (runtime: Runtime, owner: Tenant, store: SessionStore) => Promise<string>
  readonly use: Guess
  /** An id of that kind that nobody has. */
  readonly unknown: string
}

/** Past the end of the guesser's own log, and inside the owner's. */
const lastSeq = async (_: Runtime, { chat }: Tenant, store: SessionStore): Promise<string> =>
  String((await store.info(chat))?.version ?? 0)

const bySeq = (
  what: string,
  use: (runtime: Runtime, tenant: Tenant, seq: number) => Promise<unknown>,
): GuessableId => ({
  what: `a message's number: ${what}`,
  of: lastSeq,
  use: (runtime, tenant, _, id) => use(runtime, tenant, Number(id)),
  unknown: "987654",
})

export const guessableIds: readonly GuessableId[] = [
  {
    what: "a run",
    of: async (_, { chat }, store) => {
      const [started] = await store.read(chat, { types: ["run_started"], direction: "backward", limit: 1 })
      return started?.type === "run_started" ? started.runId : ""
    },
    use: (runtime, { chat }, _, id) => runtime.result(chat, id),
    unknown: "no-such-run",
  },
  {
    what: "a waiting message",
    of: async () => "only-the-owner's",
    use: (runtime, { chat }, _, id) => runtime.cancelInput(chat, id),
    unknown: "no-such-input",
  },
  bySeq("edit", (runtime, { chat }, seq) => runtime.edit(chat, seq, "mine now")),
  bySeq("regenerate", (runtime, { chat }, seq) => runtime.regenerate(chat, seq)),
  bySeq("switchBranch", (runtime, { chat }, seq) => runtime.switchBranch(chat, seq)),
  bySeq("pin", (runtime, { chat }, seq) => runtime.pin(chat, seq)),
  bySeq("unpin", (runtime, { chat }, seq) => runtime.unpin(chat, seq)),
  bySeq("history", async (runtime, { chat }, before) => runtime.history(chat, { before })),
  {
    what: "a cursor of a session's events",
    of: lastSeq,
    use: async (runtime, { chat }, _, id) => {
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
    use: async (runtime, { root }, _, id) => {
      const session = root.child("nested", id)
      return [await runtime.info(session), await runtime.history(session), await runtime.delete(session)]
    },
    unknown: "no-such-session",
  },
  {
    what: "a record",
    of: async (_, { root }, store) => {
      await store.records("guessed").put(root, "only-the-owner's", "secret")
      return "only-the-owner's"
    },
    use: async (_, { root }, store, id) => {
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
  runtime: Runtime,
  tenant: Tenant,
  store: SessionStore,
  id: string,
): Promise<unknown> {
  try {
    return { answer: await use(runtime, tenant, store, id) }
  } catch (error) {
    return { error: errorText(error) }
  }
}
