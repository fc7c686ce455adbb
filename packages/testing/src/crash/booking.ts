import {
  Approvals,
  type JsonObject,
  type ModelRequest,
  messageText,
  Namespace,
  PolicyRegistry,
  type Provider,
  Runtime,
  readHistory,
  type SessionStore,
  type Tool,
  type ToolStatus,
  tool,
} from "@orra/core"
import type { Execution } from "../fuzz/log-problem.ts"
import { call, type ScriptedAnswer, say, scriptedProvider, think } from "../scripted-provider.ts"
import type { Mortal } from "./mortal.ts"

/** The session that is run, dies, and is run again. */
export const SESSION = Namespace.of("tenant", "acme", "user", "ada", "trip")
export const HOUSEHOLD = Namespace.of("tenant", "acme")

/** Money leaves an account: nothing that may be done twice. */
const CHARGES = ["flight", "seat", "refund"] as const

/** What happened in the world, which no crash undoes. */
export interface World {
  /** Every execution of a tool, by whichever process. */
  readonly executions: Execution[]
  /** What was paid for, each time it was. */
  readonly charged: string[]
  /** Messages that their sender was told are safe. */
  readonly acknowledged: Set<string>
  /** Numbers of the entries that a person was shown. */
  readonly shown: Set<number>
}

export const world = (): World => ({
  executions: [],
  charged: [],
  acknowledged: new Set(),
  shown: new Set(),
})

const PLAN: readonly (readonly (readonly [name: string, what: string])[])[] = [
  [
    ["charge", "flight"],
    ["look", "prices"],
    ["wire_money", "everything"],
  ],
  [
    ["look", "seats"],
    ["charge", "seat"],
  ],
  // Somebody has to approve it.
  [["give_back", "refund"]],
]

/**
 * A model that does what is left of the plan: it repeats a call it is told was cancelled, and never one whose outcome
 * is unknown. What it says depends on the transcript alone.
 */
function nextAnswer({ messages }: ModelRequest): ScriptedAnswer {
  const settled = new Map<string, ToolStatus>()
  const asked = new Map<string, string>()
  for (const message of messages) {
    for (const part of message.parts) {
      if (part.type === "tool_call") asked.set(part.id, keyOf(part.name, part.arguments))
      else if (part.type === "tool_result" && part.status !== "cancelled") {
        settled.set(asked.get(part.callId) ?? "", part.status)
      }
    }
  }
  for (const step of PLAN) {
    const left = step.filter(([name, what]) => !settled.has(`${name} ${what}`))
    if (left.length > 0) {
      return [
        think("What is left?"),
        say("Let me ", "see."),
        ...left.map(([name, what]) => call(name, { what })),
      ]
    }
  }
  const last = messages.findLast(({ role }) => role === "user")
  return [say("All done: ", last ? messageText(last) : "")]
}

const keyOf = (name: string, { what }: JsonObject): string => `${name} ${String(what)}`

function bookingTools(life: Mortal, { executions, charged }: World, submitted: Promise<void>): Tool[] {
  const make = (name: string, idempotent: boolean): Tool =>
    tool<{ what: string }>({
      name,
      description: `${name} something.`,
      input: { type: "object", properties: { what: { type: "string" } }, required: ["what"] },
      risk: idempotent ? "read" : "write",
      idempotent,
      execute: async ({ what }, { runId, callId, idempotencyKey }) => {
        // The tools of the first step run while the other messages arrive.
        if (name !== "give_back") await submitted
        executions.push({ tool: name, runId, callId, idempotencyKey, idempotent })
        return await life.through(`effect of ${name}`, async () => {
          if (!idempotent) charged.push(what)
          return `${name}: ${what}`
        })
      },
    })
  return ["charge", "look", "wire_money", "give_back"].map((name) => life.tool(make(name, name === "look")))
}

/**
 * What one process does, from its start to its end: closes what a dead one left, or goes on with it (`resume`), sends the messages again (their ids
 * say which), approves what is asked, and goes on until everybody is answered. `recovered` is called when the first is done.
 */
export async function book(
  life: Mortal,
  inner: SessionStore,
  world: World,
  recovered: () => Promise<void>,
  resume = false,
): Promise<void> {
  const store = life.store(inner)
  const submitted = Promise.withResolvers<void>()
  submitted.promise.catch(() => {})
  // What goes on by itself goes on before anything is sent.
  if (resume) submitted.resolve()
  life.death.then(() => submitted.reject(new Error("This process is dead.")))
  const policies = PolicyRegistry.allowAll()
  const check = (): Promise<boolean> => life.through("policy check", async () => false)
  policies.set(HOUSEHOLD, { deny: ["wire_*", { tool: "charge", check }], ask: ["give_*"] })
  const approvals = new Approvals()
  const provider: Provider = scriptedProvider([], { otherwise: nextAnswer })
  const runtime = new Runtime({
    provider: life.provider(provider),
    store,
    tools: bookingTools(life, world, submitted.promise),
    policies,
    approvals,
    hooks: [life.hooks()],
    systemPrompt: () => life.through("system prompt", async () => "You book trips."),
    owner: "booking",
    deltaIntervalMs: 0,
    onError: () => {},
  })
  const submit = async (inputId: string, text: string, whenBusy: "queue" | "steer"): Promise<number> => {
    const submission = await life.through(`submit ${inputId}`, () =>
      runtime.submit(SESSION, text, { inputId, whenBusy }),
    )
    world.acknowledged.add(inputId)
    return submission.cursor
  }
  const submitOthers = async (): Promise<void> => {
    await submit("seat", "A window seat.", "steer")
    await submit("hotel", "And a hotel.", "queue")
    submitted.resolve()
  }

  const idle = async (): Promise<void> => {
    for (let turns = 0; turns < 5_000; turns++) {
      // Slower after a while: a digest is made in another thread.
      await new Promise((resolve) => (turns < 500 ? setImmediate(resolve) : setTimeout(resolve, 1)))
      if (life.dead) throw new Error("This process is dead.")
      if (!runtime.isRunning(SESSION)) return
    }
    throw new Error("The session never became idle.")
  }
  await life.through("recover", () => runtime.recover(HOUSEHOLD, { resume }))
  await idle()
  await recovered()
  const watching = new AbortController()
  let others: Promise<void> | undefined
  const sendOthers = (): Promise<void> => {
    others ??= submitOthers()
    others.catch(() => {})
    return others
  }
  const watch = async (after: number): Promise<void> => {
    for await (const event of runtime.subscribe(SESSION, { after, signal: watching.signal })) {
      await life.through(`watch ${event.type}`, async () => {
        if ("seq" in event) world.shown.add(event.seq)
      })
      // The other two arrive while the first tools run.
      if (event.type === "tool_intent") sendOthers()
    }
  }
  const cursor = await submit("trip", "Book a trip.", "queue")
  const watched = watch(cursor)
  watched.catch(() => {})
  await idle()
  // Where the first step was over before the crash, nobody has sent them yet.
  await sendOthers()
  for (let attempts = 0; ; attempts++) {
    await idle()
    for (const { approvalId } of await approvals.list(HOUSEHOLD)) {
      const decision = { decision: "approve", by: "eve" } as const
      await life.through("decide", () => approvals.decide(SESSION, approvalId, decision))
      await idle()
    }
    const history = await readHistory(runtime, SESSION)
    const end = history?.entries.findLast((entry) => entry.type === "run_finished")
    if (end?.outcome === "completed" && history?.queued.length === 0) break
    if (attempts === 3) throw new Error(`The session cannot be finished: ${JSON.stringify(history)}`)
    await life.through("resume", () => runtime.resume(SESSION))
  }
  watching.abort()
  await watched
  await life.through("close runtime", () => runtime.close())
}

/** What the world must never show: money that left twice. */
export const chargedTwice = ({ charged }: World): string | undefined =>
  CHARGES.find((what) => charged.filter((other) => other === what).length > 1)
