import { everyItem, type Json, type JsonObject, OrraError, type Page } from "@orra/core"
import type { ProjectAudit } from "../audit/project-audit.ts"
import { replay } from "../audit/replay.ts"
import type { Orchestration, Orchestrations } from "../execution/orchestration.ts"
import type { Orchestrator } from "../execution/orchestrator.ts"
import type { RecordedLog } from "../execution/recorded-log.ts"
import { DELIVERY_STATUSES, type Deliveries } from "../webhooks/deliveries.ts"
import { ApiError } from "./api-error.ts"
import { entryView } from "./live.ts"
import { deliveryView, listItem, listView } from "./plan-views.ts"
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
  const wanted = pageWanted(query)
  const status = oneOf(query, "status", STATUSES)
  if (Object.keys(wanted).length === 0 && status === undefined) {
    const newest: Orchestration[] = []
    for await (const each of everyItem((page) => orchestrations.list(projectId, page))) {
      newest.push(each)
      if (newest.length === MOST) break
    }
    return listView(newest)
  }
  const page = await orchestrations.list(projectId, { ...wanted, ...(status && { status }) })
  return pageView(page, listItem)
}

/** What was told to webhooks, a page of it. @throws ApiError for a limit or state that is none. */
export async function deliveryPage(
  deliveries: Deliveries,
  projectId: string,
  query: URLSearchParams,
): Promise<JsonObject> {
  const status = oneOf(query, "state", DELIVERY_STATUSES)
  const page = await deliveries.list(projectId, { ...pageWanted(query), ...(status && { status }) })
  return pageView(page, deliveryView)
}

/** Who did what: `cursor` is the number of the last entry a client has. */
export async function auditPage(
  audit: ProjectAudit,
  projectId: string,
  query: URLSearchParams,
): Promise<JsonObject> {
  const limit = whole(query, "limit", 1, MAX_LIMIT) ?? 50
  const before = whole(query, "cursor", 0, 1e9)
  const items = await audit.page(projectId, { limit, ...(before !== undefined && { before }) })
  const last = items.at(-1)
  return {
    items: items.map(entryView),
    ...(last && last.number > 0 && { cursor: String(last.number) }),
  }
}

/** `?limit` and `cursor`, as far as they are there. */
function pageWanted(query: URLSearchParams): { readonly limit?: number; readonly cursor?: string } {
  const limit = whole(query, "limit", 1, MAX_LIMIT)
  const cursor = Buffer.from(query.get("cursor") ?? "", "base64url").toString("utf8")
  if (cursor.includes("\0")) throw wrong("cursor", `"cursor" is that of the page before.`)
  return { ...(limit !== undefined && { limit }), ...(cursor !== "" && { cursor }) }
}

function pageView<T>({ items, cursor }: Page<T>, view: (item: T) => JsonObject): JsonObject {
  const more = cursor === undefined ? {} : { cursor: Buffer.from(cursor).toString("base64url") }
  return { items: items.map(view), ...more }
}

/** Entries of a log: `cursor` is the number of the last one a client has. */
export async function logPage(
  orchestrator: Orchestrator,
  orchestration: Orchestration,
  query: URLSearchParams,
): Promise<JsonObject> {
  const { id, status, plan } = orchestration
  const limit = whole(query, "limit", 1, MAX_ENTRIES) ?? MAX_ENTRIES
  const from = (whole(query, "cursor", 0, 1e9) ?? -1) + 1
  const found = await orchestrator.log(orchestration).from(from, limit + 1)
  const entries = found.slice(0, limit)
  const last = entries.at(-1)
  return {
    id,
    status,
    ...(plan && { plan: plan as unknown as JsonObject }),
    entries: entries.map(entryView),
    ...(last && found.length > limit && { cursor: String(last.number) }),
  }
}

function oneOf<T extends string>(query: URLSearchParams, name: string, values: readonly T[]): T | undefined {
  const given = query.get(name) ?? ""
  const value = values.find((each) => each === given)
  if (value !== undefined || given === "") return value
  throw wrong(name, `"${name}" is one of ${values.join(", ")}.`)
}

/** Whether a log is whole, all of it there and each entry as it was written, and whether what it says follows from the plan. */
export async function verification(log: RecordedLog, orchestration: Orchestration): Promise<JsonObject> {
  const { id, plan } = orchestration
  try {
    const read = await log.read()
    const entries = read.length
    const [last] = await log.from(entries - 1, 1)
    const differences = plan ? replay(read, plan, { id, end: orchestration }).differences : []
    return {
      id,
      isWhole: true,
      entries,
      ...(last && { head: last.hash }),
      differences: differences as unknown as Json,
    }
  } catch (error) {
    if (!(error instanceof OrraError) || error.code !== "plan_log_broken") throw error
    const brokenAt = Number(error.details["entry"])
    return { id, isWhole: false, entries: brokenAt, brokenAt, differences: [] }
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
