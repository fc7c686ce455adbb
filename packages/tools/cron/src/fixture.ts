import {
  MemoryStore,
  Namespace,
  PolicyRegistry,
  type Provider,
  Runtime,
  type RuntimeOptions,
  type SessionStore,
  type Tool,
  tool,
} from "@orra/core"
import { scriptedProvider, type VirtualClock, virtualClock } from "@orra/testing"
import type { NewJob } from "./job.ts"
import type { Notice } from "./notices.ts"
import type { SchedulerOptions } from "./options.ts"
import { jobRights } from "./rights.ts"
import { Scheduler } from "./scheduler.ts"

export const household: Namespace = Namespace.of("household")
export const ada = household.child("ada")
export const bob = household.child("bob")
export const SECOND = 1_000
export const MINUTE = 60_000
export const HOUR = 3_600_000
export const DAY = 86_400_000

/** A job that looks around so often. */
export const every = (interval_ms: number): NewJob => ({
  name: "tick",
  schedule: { type: "every", interval_ms },
  payload: { type: "agent_turn", prompt: "Look around." },
})

/** A store on the clock of a test, which several schedulers can share. */
export const onClock = <S extends SessionStore>(store: S, clock: VirtualClock): S =>
  Object.assign(store, { now: async () => clock.now() })

export interface World {
  readonly clock: VirtualClock
  readonly store: SessionStore
  readonly runtime: Runtime
  readonly scheduler: Scheduler
  readonly policies: PolicyRegistry
  readonly told: Notice[]
  readonly used: string[]
  /** What the scheduler and the runtime reported. */
  readonly failures: unknown[]
  /** Lets so many ms go by, in steps, and does at each what is due. */
  readonly pass: (ms: number, step?: number) => Promise<void>
}

/** A scheduler on a clock of the test's own, with a tool that says who used it. */
export function world(
  options: Partial<SchedulerOptions> & {
    readonly clock?: VirtualClock
    readonly store?: SessionStore
    readonly provider?: Provider
    readonly runtime?: Partial<RuntimeOptions>
    readonly tools?: readonly Tool[]
  } = {},
): World {
  const {
    provider = scriptedProvider([], { otherwise: "Done." }),
    clock = virtualClock(),
    runtime: own,
    tools = [],
    ...rest
  } = options
  const store = options.store ?? onClock(new MemoryStore(), clock)
  const used: string[] = []
  const told: Notice[] = []
  const failures: unknown[] = []
  const note = tool({
    name: "note",
    description: "Takes a note.",
    input: { type: "object" },
    risk: "write",
    execute: (_, { principal, namespace }) => {
      used.push(`${principal ?? "nobody"} in ${namespace.key}`)
      return "Noted."
    },
  })
  const policies = new PolicyRegistry({ default: "allow" })
  const runtime = new Runtime({
    provider,
    store,
    tools: [note, ...tools],
    policies,
    rights: jobRights(policies),
    onError: (error) => void failures.push(error),
    ...own,
  })
  const scheduler = new Scheduler(runtime, {
    prefix: household,
    deliver: async (notice) => void told.push(notice),
    onError: (error) => void failures.push(error),
    ...rest,
  })
  const pass = async (ms: number, step = ms): Promise<void> => {
    for (let left = ms; left > 0; left -= step) {
      clock.advance(Math.min(step, left))
      await scheduler.tick()
      await scheduler.idle()
    }
    await scheduler.deliver()
  }
  return { clock, store, runtime, scheduler, policies, told, used, failures, pass }
}

/** What waits to be told. */
export async function untold(store: SessionStore): Promise<readonly string[]> {
  const { items } = await store.records("cron-outbox").list(household, { below: true })
  return items.flatMap(({ key }) => (key.startsWith("message ") ? key : []))
}
