import { InvalidInput, isObject, type Json, NotFound, OrraError } from "@orra/core"
import {
  CronError,
  type Job,
  type JobPatch,
  type JobRun,
  jobJson,
  jobPatch,
  type NewJob,
  type Schedule,
} from "@orra/cron"
import { type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import type { Agents } from "../agents/agents.ts"
import { OWN, type Place, placeFrom, placeJson, placeOf, placeText } from "../schedules/places.ts"
import { readWhen } from "../schedules/read-when.ts"
import { scheduleWords } from "../schedules/schedule-words.ts"
import type { Schedules } from "../schedules/schedules.ts"
import { isZone } from "../zones.ts"
import { jsonRoutes } from "./json-route.ts"

const job = "/api/schedules/:id"
const MAX_WHEN = 200

/** What a person does with their jobs; documented in docs/herald/api.md. */
export function scheduleRoutes(schedules: Schedules, agents: Pick<Agents, "find">): readonly Route[] {
  const json = jsonRoutes(withStatus)
  const route = (
    method: Route["method"],
    path: string,
    work: (request: GatewayRequest, id: string) => Promise<unknown>,
  ): Route => json(method, path, (request) => work(request, request.params["id"] ?? ""))
  const my = ({ principal: { namespace } }: GatewayRequest) => ({
    namespace,
    scheduler: schedules.of(namespace),
  })

  const shown = async (request: GatewayRequest, found: Job): Promise<Readonly<Record<string, Json>>> => {
    const { scheduler } = my(request)
    const [last] = (await scheduler.runs(found.namespace, found.id, { limit: 1 })).items
    const { to, ...rest } = jobJson(found)
    return {
      ...rest,
      to: placeJson((typeof to === "string" ? placeOf(to) : undefined) ?? OWN),
      words: scheduleWords(found.schedule),
      from_file: (await schedules.fileJobs()).has(found.id),
      last: last ? runJson(last) : null,
    }
  }
  /** The person's own, and not deleted. */
  const existing = async (request: GatewayRequest, id: string): Promise<Job> => {
    const { namespace, scheduler } = my(request)
    const found = await scheduler.get(namespace, id)
    if (!found || (await schedules.trash.list(scheduler, namespace)).has(id)) throw new NotFound("job")
    return found
  }

  return [
    route("GET", "/api/schedules", async (request) => {
      const { namespace, scheduler } = my(request)
      const deleted = await schedules.trash.list(scheduler, namespace)
      const { items } = await scheduler.list(namespace, { limit: 500 })
      const jobs = items.filter(({ id }) => !deleted.has(id))
      return {
        timezone: schedules.zoneOf(namespace),
        cheap_model: schedules.cheapModel ?? null,
        jobs: await Promise.all(jobs.map((each) => shown(request, each))),
      }
    }),
    route("GET", "/api/schedules/channels", async (request) => {
      const isOwner = request.principal.permissions.includes("owner")
      return { channels: isOwner ? await schedules.channels(request.signal) : [] }
    }),
    route("POST", "/api/schedules/preview", async (request) => {
      const { scheduler } = my(request)
      const { schedule, times } = await scheduler.preview(
        scheduleIn(await request.body(), schedules.zoneOf(request.principal.namespace)),
      )
      return {
        schedule,
        words: scheduleWords(schedule),
        times: times.map((time) => new Date(time).toISOString()),
      }
    }),
    route("POST", "/api/schedules", async (request) => {
      const { namespace, scheduler } = my(request)
      const body = await request.body()
      const schedule = scheduleIn(body, schedules.zoneOf(namespace))
      const place = placeIn(request, body, OWN)
      const given = { ...changes(body, agents), schedule, to: placeText(place) } as NewJob
      return await shown(request, await scheduler.create(namespace, given))
    }),
    route("GET", job, async (request, id) => await shown(request, await existing(request, id))),
    route("PATCH", job, async (request, id) => {
      const { namespace, scheduler } = my(request)
      await existing(request, id)
      const body = await request.body()
      const isRescheduled = body["when"] !== undefined || body["schedule"] !== undefined
      const patch: JobPatch = {
        ...changes(body, agents),
        ...(isRescheduled && { schedule: scheduleIn(body, schedules.zoneOf(namespace)) }),
        ...(body["to"] !== undefined && { to: placeText(placeIn(request, body, OWN)) }),
      }
      return await shown(request, await scheduler.update(namespace, id, patch))
    }),
    route("DELETE", job, async (request, id) => {
      const { namespace, scheduler } = my(request)
      const { from_file } = await shown(request, await existing(request, id))
      if (from_file)
        throw new HttpError(
          409,
          "job_in_file",
          "This job is in the configuration file, and would be made again: pause it, or remove it there.",
        )
      await schedules.trash.put(scheduler, namespace, id)
      return { deleted: true }
    }),
    route("POST", `${job}/restore`, async (request, id) => {
      const { namespace, scheduler } = my(request)
      if (!(await schedules.trash.restore(scheduler, namespace, id))) throw new NotFound("job")
      return await shown(request, await existing(request, id))
    }),
    route("POST", `${job}/pause`, async (request, id) => {
      const { namespace, scheduler } = my(request)
      await existing(request, id)
      return await shown(request, await scheduler.pause(namespace, id))
    }),
    route("POST", `${job}/resume`, async (request, id) => {
      const { namespace, scheduler } = my(request)
      await existing(request, id)
      return await shown(request, await scheduler.resume(namespace, id))
    }),
    route("POST", `${job}/run`, async (request, id) => {
      const { namespace, scheduler } = my(request)
      await existing(request, id)
      await scheduler.runNow(namespace, id)
      return await shown(request, await existing(request, id))
    }),
    route("GET", `${job}/runs`, async (request, id) => {
      const { namespace, scheduler } = my(request)
      await existing(request, id)
      const cursor = request.query.get("cursor")
      const page = await scheduler.runs(namespace, id, { limit: 20, ...(cursor !== null && { cursor }) })
      return { runs: page.items.map(runJson), ...(page.cursor !== undefined && { cursor: page.cursor }) }
    }),
  ]
}

/** What the body says of a job, besides when and where to. @throws InvalidInput for an agent that is not there. */
function changes(body: Readonly<Record<string, unknown>>, agents: Pick<Agents, "find">): JobPatch {
  const { schedule: _, to: __, ...patch } = jobPatch(body)
  if (typeof patch.agent !== "string") return patch
  const agent = agents.find(patch.agent)
  if (!agent)
    throw new InvalidInput(`There is no agent "${patch.agent.slice(0, 64)}" (any more): choose another.`)
  return { ...patch, agent: agent.name }
}

/** When, as text or as fields. @throws InvalidInput with what to write instead. */
function scheduleIn(body: Readonly<Record<string, unknown>>, byDefault: string): Schedule {
  const { when, schedule, timezone = byDefault } = body
  if (!isZone(timezone)) throw new InvalidInput("timezone must be an IANA time zone, such as Europe/Paris.")
  if (when === undefined) {
    const given = isObject(schedule) ? schedule : {}
    return (given["type"] === "every" ? given : { timezone, ...given }) as Schedule
  }
  if (typeof when !== "string" || when.length > MAX_WHEN)
    throw new InvalidInput(`"when" is text of at most ${MAX_WHEN} characters.`)
  const { schedule: read, problem } = readWhen(when, Date.now(), timezone)
  if (!read) throw new HttpError(400, "when_unclear", problem)
  return read
}

/** Where to. A channel is everybody's in it: only the owner has jobs write there. */
function placeIn(
  { principal }: GatewayRequest,
  body: Readonly<Record<string, unknown>>,
  byDefault: Place,
): Place {
  if (body["to"] === undefined) return byDefault
  const place = placeFrom(body["to"])
  if (!place)
    throw new InvalidInput('"to" is {type: "own"}, {type: "chat", namespace} or {type: "channel", id}.')
  if (place.type === "chat" && !principal.namespace.contains(place.namespace)) throw new NotFound("session")
  if (place.type === "channel" && !principal.permissions.includes("owner"))
    throw new HttpError(
      403,
      "forbidden",
      "Only the owner of this Herald has jobs write to Discord's channels.",
    )
  return place
}

const time = (ms: number): string => new Date(ms).toISOString()

const runJson = ({
  firing,
  due,
  startedAt,
  finishedAt,
  outcome,
  error,
  session,
  cost,
  text,
  delivery,
}: JobRun) => ({
  id: firing,
  due: time(due),
  started_at: time(startedAt),
  finished_at: time(finishedAt),
  outcome,
  error: error ? { ...error } : null,
  session: session ?? null,
  cost: cost ?? null,
  text: text ?? "",
  delivery: { ...delivery },
})

/** What cannot be is the caller's to change. */
function withStatus(error: unknown): unknown {
  if (!(error instanceof OrraError)) return error
  if (error instanceof CronError)
    return new HttpError(
      error.code === "job_state" || error.code === "job_limit" ? 409 : 400,
      error.code,
      error.message,
    )
  if (error instanceof NotFound) return new HttpError(404, "not_found", "There is no such job.")
  return error.code.startsWith("discord_") ? new HttpError(502, error.code, error.message) : error
}
