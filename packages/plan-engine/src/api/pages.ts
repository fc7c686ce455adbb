import { everyItem, type JsonObject, OrraError } from "@orra/core"
import type { Orchestration, OrchestrationStatus, Orchestrations } from "../execution/orchestration.ts"
import type { Orchestrator } from "../execution/orchestrator.ts"
import type { RecordedLog } from "../execution/recorded-log.ts"
import { ApiError } from "./api-error.ts"
import { entryView } from "./live.ts"
import { listItem, listView } from "./plan-views.ts"
import { STATUSES } from "./shapes.ts"

/** Most that a list without a limit has. */
const MOST = 1_000
const MAX_LIMIT = 500
const MAX_ENTRIES = 1_000

/**
 * `?limit`, `cursor` or `status`: a page, `{ items, cursor? }`. None of them: the newest by their status, as the original has them.
 *
 * @throws ApiError for a limit or status that is none.
 */
export async function listed(
  orchestrations: Orchestrations,
  projectId: string,
  query: URLSearchParams,
): Promise<JsonObject> {
  const limit = whole(query, "limit", 1, MAX_LIMIT)
  const cursor = textOf(query.get("cursor") ?? "")
  const status = statusIn(query)
  if (limit === undefined && cursor === undefined && status === undefined) {
    const newest: Orchestration[] = []
    for await (const each of everyItem((page) => orchestrations.list(projectId, page))) {
      newest.push(each)
      if (newest.length === MOST) break
    }
    return listView(newest)
  }
  const page = await orchestrations.list(projectId, {
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
    ...(status !== undefined && { status }),
  })
  const more = page.cursor === undefined ? {} : { cursor: Buffer.from(page.cursor).toString("base64url") }
  return { items: page.items.map(listItem), ...more }
}

/** Entries of a log: `cursor` is the number of the last one a client has. */
export async function logPage(
  orchestrator: Orchestrator,
  orchestration: Orchestration,
  query: URLSearchParams,
): Promise<JsonObject> {
  const { id, status } = orchestration
  const limit = whole(query, "limit", 1, MAX_ENTRIES) ?? MAX_ENTRIES
  const from = (whole(query, "cursor", 0, 1e9) ?? -1) + 1
  const found = await orchestrator.log(orchestration).from(from, limit + 1)
  const entries = found.slice(0, limit)
  const last = entries.at(-1)
  return {
    id,
    status,
    entries: entries.map(entryView),
    ...(last && found.length > limit && { cursor: String(last.number) }),
  }
}

/** What stands in a cursor; undefined for none. */
const textOf = (cursor: string): string | undefined =>
  cursor === "" ? undefined : Buffer.from(cursor, "base64url").toString("utf8")

function statusIn(query: URLSearchParams): OrchestrationStatus | undefined {
  const given = query.get("status")
  if (given === null || given === "") return undefined
  const status = STATUSES.find((each) => each === given)
  if (status) return status
  throw wrong("status", `"status" is one of ${STATUSES.join(", ")}.`)
}

/** Whether a log is whole: all of it there, each entry as it was written. */
export async function verification(log: RecordedLog): Promise<JsonObject> {
  try {
    const entries = (await log.read()).length
    const [last] = await log.from(entries - 1, 1)
    return { isWhole: true, entries, ...(last && { head: last.hash }) }
  } catch (error) {
    if (!(error instanceof OrraError) || error.code !== "plan_log_broken") throw error
    const brokenAt = Number(error.details["entry"])
    return { isWhole: false, entries: brokenAt, brokenAt }
  }
}

function whole(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const given = query.get(name)
  if (given === null || given === "") return undefined
  const number = Number(given)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw wrong(name, `"${name}" is a whole number from ${least} to ${most}.`)
}

const wrong = (param: string, message: string): ApiError =>
  new ApiError(400, "invalid request error", message, "Orra:InvalidQuery", param)
