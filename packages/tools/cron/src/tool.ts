import {
  InvalidInput,
  type Json,
  type Namespace,
  NotFound,
  type Tool,
  type ToolContext,
  type ToolOutput,
  tool,
} from "@orra/core"
import { speakersOf } from "./desk.ts"
import { type Job, type JobStatus, jobJson, jobPatch, type NewJob } from "./job.ts"
import type { Creator } from "./rights.ts"
import type { Schedule } from "./schedule.ts"
import type { Scheduler } from "./scheduler.ts"

export interface CronToolOptions {
  /**
   * Where the jobs are that a session makes and sees. Default: the session in which somebody speaks. Give what all
   * sessions of a person share, and they see their jobs in each of them.
   */
  readonly home?: (context: Pick<ToolContext, "namespace" | "principal">) => Namespace
  /** Where what comes of a job can go, besides where it belongs. Default: the model is not asked. */
  readonly to?: {
    /** For the model: what it may say. */
    readonly description: string
    /** The job's `to`, of what the model says, or of nothing. @throws InvalidInput for what cannot be. */
    readonly of: (asked: string | undefined, context: ToolContext) => string
  }
  /** The zone of schedules that name none. Default: the scheduler's. */
  readonly timezone?: (context: ToolContext) => string | undefined
}

const ACTIONS = ["create", "list", "get", "pause", "resume", "delete", "update", "run_now"] as const

interface Input {
  readonly action: (typeof ACTIONS)[number]
  readonly id?: string
  readonly name?: string
  readonly schedule?: Schedule
  readonly payload?: NewJob["payload"]
  readonly namespace?: string
  readonly delivery?: NewJob["delivery"] | null
  readonly to?: string
  readonly model?: string | null
  readonly max_turns?: number | null
  readonly auto_approve?: boolean
  readonly lightweight?: boolean | null
  readonly cooldown_secs?: number | null
  readonly max_concurrent?: number | null
  readonly missed?: NewJob["missed"] | null
  readonly jitter_ms?: number | null
}

const LOGGED = 5

const nullable = (type: string, description: string): Json => ({ type: [type, "null"], description })

/**
 * The tool `cron`, with which an agent makes jobs and looks after them: those of its own session's `home` and no others.
 * What it makes is for whoever the run works for, with that run's rights.
 *
 * ```ts
 * const registry = new ToolRegistry()
 * const runtime = new Runtime({ provider, store, policies, rights: jobRights(policies), tools: registry })
 * registry.add(cronTool(new Scheduler(runtime, { prefix })))
 * ```
 *
 * Where there are several schedulers, give what finds that of a session.
 */
export function cronTool(
  scheduler: Scheduler | ((session: Namespace) => Scheduler),
  options: CronToolOptions = {},
): Tool {
  const { home, to } = options
  const schedulerOf = typeof scheduler === "function" ? scheduler : () => scheduler
  return tool<Input>({
    name: "cron",
    description:
      'Does things at a time: once ("at"), at intervals ("every"), or by a cron expression ("cron"). Use agent_turn to have yourself asked a prompt then, with everything needed in it, and system_event for a reminder that is only shown. "update" changes what is given and leaves the rest; "run_now" does a job at once.',
    risk: "write",
    idempotent: true,
    input: {
      type: "object",
      properties: {
        action: { type: "string", enum: ACTIONS, description: "What to do." },
        id: { type: "string", description: "The job: for all actions but create and list." },
        name: { type: "string", description: "What people call it. For create." },
        schedule: {
          type: "object",
          description: "When. For create.",
          properties: {
            type: { type: "string", enum: ["at", "every", "cron"] },
            datetime: { type: "string", description: "at: ISO 8601." },
            interval_ms: { type: "integer", description: "every: in ms." },
            expression: {
              type: "string",
              description: "cron: minute, hour, day of month, month, day of week; with seconds first if six.",
            },
            timezone: { type: "string", description: 'at, cron: as in "Europe/Oslo".' },
          },
          required: ["type"],
        },
        payload: {
          type: "object",
          description: "What. For create.",
          properties: {
            type: { type: "string", enum: ["agent_turn", "system_event"] },
            prompt: { type: "string", description: "agent_turn: what is asked." },
            message: { type: "string", description: "system_event: what is shown." },
          },
          required: ["type"],
        },
        namespace: { type: "string", description: "Leave it out: a job belongs to this conversation." },
        delivery: {
          type: ["string", "null"],
          enum: ["announce", "silent", null],
          description: "Default announce.",
        },
        ...(to && { to: { type: "string", description: to.description } }),
        model: nullable("string", "Another model."),
        max_turns: nullable("integer", "Steps at most."),
        auto_approve: { type: "boolean", description: "Only people approve: leave it out." },
        lightweight: nullable("boolean", "One short answer of a cheaper model, without tools."),
        cooldown_secs: nullable("integer", "Seconds between two beginnings at least."),
        max_concurrent: nullable("integer", "How often at the same time. Default 1."),
        jitter_ms: nullable("integer", "So much later at most, by chance, in ms."),
        missed: {
          type: ["string", "null"],
          enum: ["once", "all", "skip", null],
          description: "What becomes of times that were missed. Default once.",
        },
      },
      required: ["action"],
      additionalProperties: false,
    },
    async execute(input, context) {
      const at = home?.(context) ?? speakersOf(context.namespace)
      assertMay(input, at, context)
      const { namespace, principal, envelope, tainted } = context
      const scheduler = schedulerOf(namespace)
      const agent = await scheduler.agentIn(namespace)
      try {
        return await act(
          scheduler,
          at,
          completed(input, options, context),
          { principal, at: namespace, agent, envelope, tainted },
          context,
        )
      } catch (error) {
        if (error instanceof NotFound) return `Job not found: ${input.id ?? ""}`
        throw error
      }
    },
  })
}

/** What the call leaves open and the application knows. */
function completed(input: Input, { to, timezone }: CronToolOptions, context: ToolContext): Input {
  const { action, schedule } = input
  const isNew = action === "create"
  const zone = timezone?.(context)
  return {
    ...input,
    ...(to && (isNew || input.to !== undefined) && { to: to.of(input.to, context) }),
    ...(schedule &&
      schedule.type !== "every" &&
      zone !== undefined && { schedule: { timezone: zone, ...schedule } }),
  }
}

function assertMay({ namespace, auto_approve }: Input, home: Namespace, context: ToolContext): void {
  if (namespace !== undefined && namespace !== home.key && namespace !== context.namespace.key)
    throw new InvalidInput("A job belongs to the conversation in which it is made: leave `namespace` out.")
  if (auto_approve) {
    throw new InvalidInput(
      "Nobody but a person can approve: leave `auto_approve` out. What needs approval waits for it when the job runs.",
    )
  }
}

async function act(
  scheduler: Scheduler,
  home: Namespace,
  input: Input,
  creator: Creator,
  { idempotencyKey }: ToolContext,
): Promise<string | ToolOutput> {
  const { action } = input
  if (action === "list") return await list(scheduler, home)
  if (action === "create") {
    const { name, schedule, payload } = input
    if (name === undefined || schedule === undefined || payload === undefined)
      throw new InvalidInput("`create` needs `name`, `schedule` and `payload`.")
    const given = withoutNull(jobPatch(input)) as NewJob
    const { agent } = creator
    const job = await scheduler.create(home, agent === undefined ? given : { ...given, agent }, creator, {
      idempotencyKey,
    })
    return `Created cron job '${job.name}' (id: ${job.id}). ${await nextOf(scheduler, job)}`
  }
  const { id } = input
  if (id === undefined) throw new InvalidInput(`\`${action}\` needs the \`id\` of a job.`)
  switch (action) {
    case "get":
      return await get(scheduler, home, id)
    case "pause":
      return `Paused cron job '${(await scheduler.pause(home, id)).name}'.`
    case "resume": {
      const job = await scheduler.resume(home, id)
      return `Resumed cron job '${job.name}'. ${await nextOf(scheduler, job)}`
    }
    case "delete":
      return (await scheduler.delete(home, id)) ? `Deleted cron job ${id}.` : `Job not found: ${id}`
    case "update": {
      const job = await scheduler.update(home, id, jobPatch(input), creator)
      return `Updated cron job '${job.name}'. ${await nextOf(scheduler, job)}`
    }
    case "run_now":
      await scheduler.runNow(home, id, { idempotencyKey })
      return `Cron job ${id} has begun. Its result comes when it is done.`
  }
}

async function list(scheduler: Scheduler, home: Namespace): Promise<string | ToolOutput> {
  const { items } = await scheduler.list(home, { limit: 500 })
  const lines = items.map(
    ({ name, id, status, schedule, nextRun, runCount }) =>
      `- ${name} (id: ${id}) [${TITLES[status]}] schedule: ${scheduleText(schedule)} | next: ${time(nextRun)} | runs: ${runCount}`,
  )
  return marked(lines.join("\n") || "No cron jobs configured.", items)
}

async function get(scheduler: Scheduler, home: Namespace, id: string): Promise<string | ToolOutput> {
  const job = await scheduler.get(home, id)
  if (!job) throw new NotFound("job")
  const { items } = await scheduler.runs(home, id, { limit: LOGGED })
  const runs = items.map(({ due, outcome, error, delivery }) => ({
    due: time(due),
    outcome,
    ...(error && { error: { ...error } }),
    delivery: delivery.state,
  }))
  return marked(JSON.stringify({ ...jobJson(job), last_runs: runs }, null, 2), [job])
}

const withoutNull = (patch: object): object =>
  Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== null))

/** What a job says that was made by somebody who had read what strangers wrote may be theirs. */
const marked = (text: string, jobs: readonly Job[]): string | ToolOutput =>
  jobs.some(({ tainted }) => tainted) ? { content: [{ type: "text", text }], untrusted: true } : text

const TITLES: Readonly<Record<JobStatus, string>> = {
  active: "Active",
  paused: "Paused",
  completed: "Completed",
}

const time = (ms: number | undefined): string => (ms === undefined ? "none" : new Date(ms).toISOString())

async function nextOf(scheduler: Scheduler, { nextRun, schedule }: Job): Promise<string> {
  if (nextRun === undefined || schedule.type !== "cron") return `Next run: ${time(nextRun)}`
  const { times } = await scheduler.preview(schedule)
  return `Next run: ${time(nextRun)}\nThen: ${times.slice(1).map(time).join(", ")} (${schedule.timezone})`
}

function scheduleText(schedule: Schedule): string {
  switch (schedule.type) {
    case "at":
      return `at ${schedule.datetime}`
    case "every":
      return `every ${schedule.interval_ms} ms`
    case "cron":
      return `${schedule.expression} (${schedule.timezone})`
  }
}
