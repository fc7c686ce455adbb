import {
  InvalidInput,
  isDelegated,
  Namespace,
  OrraError,
  type SessionInfo,
  type SessionStore,
} from "@orra/core"
import { type GatewayRequest, HttpError, type Principal, type Route } from "@orra/gateway"
import { activityPage, cursorOf, type Happened, positionOf, type Wanted } from "../activity/activity.ts"
import { KINDS, VERDICTS } from "../activity/events.ts"
import { everybody, type Person } from "../activity/people.ts"
import { traceOf } from "../activity/trace.ts"
import { verifyAudit } from "../activity/verify.ts"
import type { Config } from "../config/settings.ts"
import type { HeraldStore } from "../data/store.ts"
import { jsonRoutes } from "./json-route.ts"

const PAGE = 50
/** Longer than the name of any tool. */
const MAX_TOOL = 200

/** What happened, for whoever it happened to, and all of it for the owner; documented in docs/herald/api.md. */
export function activityRoutes(store: HeraldStore, config: Config): readonly Route[] {
  const people = everybody(config)
  const placesOf = (principal: Principal): readonly Person[] =>
    principal.permissions.includes("owner")
      ? people
      : [{ name: principal.name, namespace: principal.namespace }]
  const shown = titled(people)
  const route = jsonRoutes(withStatus)
  return [
    route("GET", "/api/activity", async ({ runtime, principal, query }) => {
      const places = placesOf(principal)
      const cursor = query.get("cursor")
      const wanted = wantedIn(query, places)
      const { items, next } = await activityPage(
        store,
        wanted,
        PAGE,
        cursor === null ? undefined : positionOf(cursor),
      )
      return {
        audit: config.audit.enabled,
        people: places.map(({ name, namespace }) => ({ name, namespace: namespace.key })),
        items: await shown(runtime.store, principal, items),
        ...(next && { cursor: cursorOf(next) }),
      }
    }),
    {
      method: "GET",
      path: "/api/activity/export",
      permission: "chat",
      handle: ({ runtime, principal, query, signal }) => {
        const wanted = wantedIn(query, placesOf(principal))
        return new Response(
          linesOf(store, wanted, (items) => shown(runtime.store, principal, items), signal),
          {
            headers: {
              "content-type": "application/x-ndjson",
              "content-disposition": 'attachment; filename="herald-activity.jsonl"',
            },
          },
        )
      },
    },
    route(
      "POST",
      "/api/activity/verify",
      async () =>
        await verifyAudit(
          store.audit,
          people.map(({ namespace }) => namespace),
        ),
      { permission: "owner" },
    ),
    route("GET", "/api/sessions/:namespace/runs/:run/trace", async ({ runtime, principal, params }) => {
      const namespace = within(placesOf(principal), params["namespace"])
      const trace = await traceOf(runtime.store, namespace, params["run"] ?? "")
      if (!trace) throw missing()
      const [chat] = await shown(runtime.store, principal, [{ namespace }])
      return { ...chat, ...trace }
    }),
  ]
}

const missing = (): HttpError => new HttpError(404, "not_found", "There is no such session.")

/** A namespace at or below one of these. @throws HttpError 404, also for what others have. */
function within(places: readonly Person[], key: string | null | undefined): Namespace {
  try {
    const namespace = Namespace.parse(key ?? "")
    if (places.some((place) => place.namespace.contains(namespace))) return namespace
  } catch {
    // No namespace at all.
  }
  throw missing()
}

/** @throws InvalidInput for a filter that is none; HttpError 404 for what is not one's own. */
function wantedIn(query: GatewayRequest["query"], places: readonly Person[]): Wanted {
  const text = (name: string): string | undefined => query.get(name)?.trim() || undefined
  const oneOf = <T extends string>(name: string, all: readonly T[]): T | undefined => {
    const given = text(name)
    const found = all.find((each) => each === given)
    if (given !== undefined && found === undefined)
      throw new InvalidInput(`"${name}" is one of ${all.join(", ")}.`)
    return found
  }
  const time = (name: string): number | undefined => {
    const given = text(name)
    if (given === undefined) return undefined
    if (!Number.isSafeInteger(Number(given)))
      throw new InvalidInput(`"${name}" is a time in ms since 1970, as a whole number.`)
    return Number(given)
  }
  const below = text("chat") ?? text("person")
  const filters = {
    kind: oneOf("kind", KINDS),
    tool: text("tool")?.slice(0, MAX_TOOL),
    verdict: oneOf("verdict", VERDICTS),
    since: time("since"),
    until: time("until"),
  }
  return {
    roots: below === undefined ? places.map(({ namespace }) => namespace) : [within(places, below)],
    ...(Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) as Omit<
      Wanted,
      "roots"
    >),
  }
}

/** What is shown of something that happened: whose it is, and of one's own chats the title. */
const titled =
  (people: readonly Person[]) =>
  async (
    store: SessionStore,
    principal: Principal,
    items: readonly (Pick<Happened, "namespace"> & Partial<Happened>)[],
  ): Promise<readonly object[]> => {
    const chats = new Map<string, SessionInfo | undefined>()
    const shown: object[] = []
    for (const { namespace, position, activity } of items) {
      const chat = namespace.lineage.find(isDelegated)?.parent ?? namespace
      const isOwn = principal.namespace.contains(chat) && chat.depth > principal.namespace.depth
      if (isOwn && !chats.has(chat.key)) chats.set(chat.key, await store.info(chat))
      const info = chats.get(chat.key)
      const title = info?.metadata["title"]
      const person = people.find((each) => each.namespace.contains(namespace))?.name
      shown.push({
        ...(position && { id: cursorOf(position), at: position.at, seq: position.seq }),
        namespace: namespace.key,
        // What one can open.
        ...(info && { chat: chat.key }),
        ...(typeof title === "string" && { title }),
        ...(person !== undefined && { person }),
        ...activity,
      })
    }
    return shown
  }

/** All of it as lines of JSON, as fast as it is taken. */
function linesOf(
  store: HeraldStore,
  wanted: Wanted,
  shown: (items: readonly Happened[]) => Promise<readonly object[]>,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let from: Parameters<typeof activityPage>[3]
  return new ReadableStream({
    async pull(controller) {
      // A page may be empty where nothing was found in what was looked at.
      for (;;) {
        const { items, next } = await activityPage(store, wanted, PAGE, from)
        from = next
        const lines = (await shown(items)).map((item) => `${JSON.stringify(item)}\n`)
        if (lines.length > 0) controller.enqueue(encoder.encode(lines.join("")))
        if (!next || signal.aborted) return controller.close()
        if (lines.length > 0) return
      }
    },
  })
}

const withStatus = (error: unknown): unknown =>
  error instanceof OrraError && error.code === "audit_broken"
    ? new HttpError(422, error.code, error.message)
    : error
