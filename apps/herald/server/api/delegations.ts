import { delegatedIn, everyItem, type SessionInfo, type Team } from "@orra/core"
import { HttpError, type Route } from "@orra/gateway"
import { takenIn } from "../chats/usage.ts"
import { ownSession } from "./agents.ts"

/** More than a run can have at the usual depth, and as much as a page can show. */
const MAX_BRANCHES = 500
/** Entries of a branch that say how it began and ended: one task, and what was asked of it afterwards. */
const MAX_RUNS = 50

/** What agents have handed on in a run of one's own, at any depth; documented in docs/herald/api.md. */
export const delegationRoutes = (team: Team): readonly Route[] => [
  {
    method: "GET",
    path: "/api/sessions/:namespace/delegations",
    permission: "chat",
    async handle({ principal, params, query }) {
      const run = query.get("run") ?? ""
      const session = ownSession(principal, params["namespace"])
      const info = await team.info(session)
      if (!info || run === "") throw new HttpError(404, "not_found", "There is no such session.")
      const branches: unknown[] = []
      const below = delegatedIn(session).child(run)
      for await (const each of everyItem((page) => team.runtime.list(below, page))) {
        if (branches.length >= MAX_BRANCHES) return Response.json({ branches, more: true })
        branches.push(await branchOf(team, each))
      }
      return Response.json({ branches, more: false })
    },
  },
]

/** A task that was handed on: by which call, to whom, what it may use, what it took. */
async function branchOf(team: Team, info: SessionInfo): Promise<unknown> {
  const { namespace, metadata } = info
  const { store } = team.runtime
  const entries = await store.read(namespace, { types: ["run_started", "run_finished"], limit: MAX_RUNS })
  const started = entries.find((entry) => entry.type === "run_started")
  const finished = entries.findLast((entry) => entry.type === "run_finished")
  const isOpen = info.openRun !== undefined || finished === undefined
  const { usage, usd, unpriced } = await takenIn(store, namespace)
  const { agent, envelope } = started?.type === "run_started" ? started : {}
  return {
    namespace: namespace.key,
    parent: envelope?.parent?.namespace ?? null,
    call_id: envelope?.parent?.callId ?? null,
    agent: agent ?? null,
    helper: envelope?.helper === true,
    status: info.waiting
      ? "waiting"
      : isOpen
        ? "running"
        : finished?.type === "run_finished" && finished.outcome,
    started_at: info.createdAt,
    ended_at: isOpen ? null : (finished?.at ?? null),
    input_tokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
    output_tokens: usage.outputTokens,
    cost: unpriced > 0 ? null : usd,
    can: team.toolsOf({ agent, namespace, metadata, envelope }).map(({ definition }) => definition.name),
  }
}
