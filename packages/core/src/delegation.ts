import { agentKey } from "./agent.ts"
import { type Caller, callerOf, delegatedIn, sessionsBelow } from "./delegated.ts"
import { output } from "./delegation-output.ts"
import { InvalidInput, NotFound, OrraError } from "./errors.ts"
import type { HookContext, Hooks } from "./hooks.ts"
import { messageText, userMessage } from "./message.ts"
import { Namespace } from "./namespace.ts"
import type { PolicyLayer } from "./policy.ts"
import { frozen } from "./policy-frozen.ts"
import { resultOf, type Submission } from "./run.ts"
import type { Runtime } from "./runtime.ts"
import { PENDING, type Tool, type ToolContext, type ToolOutput, tool } from "./tool.ts"

/** How far agents may hand tasks on. */
export interface DelegationOptions {
  /** How many delegations may lie between a person and a run, default 3, at most 10. */
  readonly maxDepth?: number
  /** Tasks that one run may hand on, default 8, at most 400. */
  readonly maxFanOut?: number
  /**
   * How long one task may take, in ms, the wait for approvals included. Default and at most 86,400,000 (a day); less when
   * its caller has less left.
   */
  readonly timeoutMs?: number
  /** Model calls for one task, default the agent's. */
  readonly maxTurns?: number
}

const DAY = 86_400_000

function assertCount(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new InvalidInput(`${name} is a whole number from ${least} to ${most}.`)
}

interface Task {
  readonly task: string
  readonly context?: string
}

/** Who gets a task, and what it may do besides what its caller may. */
interface Receiver {
  readonly agent: string
  readonly helper: boolean
  readonly bounds: readonly PolicyLayer[]
}

const TASK = {
  type: "string",
  description:
    "What is to be done, with everything needed to do it: nothing else of this conversation is passed on.",
} as const
const CONTEXT = { type: "string", description: "Facts, quotations or data that the task is about." } as const

/** The tools by which an agent hands tasks on, and what holds while it does. */
export class Delegation {
  readonly #runtime: () => Runtime
  readonly #profile: (name: string) => { readonly name: string; readonly policy?: PolicyLayer } | undefined
  /** Sessions of which the end is being waited for here. */
  readonly #awaited = new Set<string>()
  readonly #limits: Required<Omit<DelegationOptions, "maxTurns">> & Pick<DelegationOptions, "maxTurns">
  /** One at a time in each run, so that none is overlooked when they are counted. */
  readonly #counting = new Map<string, Promise<unknown>>()

  constructor(
    runtime: () => Runtime,
    profile: (name: string) => { readonly name: string; readonly policy?: PolicyLayer } | undefined,
    options: DelegationOptions = {},
  ) {
    this.#runtime = runtime
    this.#profile = profile
    this.#limits = { maxDepth: 3, maxFanOut: 8, timeoutMs: DAY, ...options }
    const { maxDepth, maxFanOut, timeoutMs } = this.#limits
    assertCount("maxDepth", maxDepth, 0, 10)
    assertCount("maxFanOut", maxFanOut, 0, 400)
    assertCount("timeoutMs", timeoutMs, 1, DAY)
  }

  /** For every run of the team. */
  get hooks(): readonly Hooks[] {
    const guard = (context: HookContext) => this.#guard(context)
    return [
      {
        name: "delegation",
        beforeModel: (_, context) => guard(context),
        beforeTool: (_, context) => guard(context),
        runEnd: (_, context) => this.#ended(context),
      },
    ]
  }

  /** The tools of an agent, with the names of those it can ask. */
  tools(caller: string, others: readonly string[], has: (name: string) => boolean): readonly Tool[] {
    const { timeoutMs } = this.#limits
    const common = { risk: "read", idempotent: true, timeoutMs: timeoutMs + 10_000 } as const
    const spawn = tool<Task & { readonly tools?: readonly string[] }>({
      ...common,
      name: "spawn_agent",
      description: "Gives one task to a helper that works on its own and comes back with the result.",
      input: {
        type: "object",
        properties: {
          task: TASK,
          context: CONTEXT,
          tools: {
            type: "array",
            items: { type: "string" },
            description: "The names of the tools that the helper may use, of your own. Default: all.",
          },
        },
        required: ["task"],
      },
      execute: (input, context) => {
        const unknown = input.tools?.find((name) => !has(name))
        if (unknown !== undefined) throw new InvalidInput(`You have no tool "${unknown}" to hand on.`)
        const bounds: PolicyLayer[] = input.tools ? [{ allow: input.tools, default: "deny" }] : []
        return this.#delegate(caller, { agent: caller, helper: true, bounds }, input, context)
      },
    })
    if (others.length === 0) return [spawn]
    const delegate = tool<Task & { readonly agent: string }>({
      ...common,
      name: "delegate_to_agent",
      description: `Gives one task to another agent, which comes back with the result. There are: ${others.join(", ")}.`,
      input: {
        type: "object",
        properties: {
          agent: { type: "string", description: "The agent's name." },
          task: TASK,
          context: CONTEXT,
        },
        required: ["agent", "task"],
      },
      execute: (input, context) => {
        const agent = this.#profile(input.agent)?.name
        if (agent === undefined)
          throw new OrraError(
            "agent_not_found",
            `There is no agent "${input.agent}". There are: ${others.join(", ")}.`,
          )
        return this.#delegate(caller, { agent, helper: false, bounds: [] }, input, context)
      },
    })
    return [spawn, delegate]
  }

  async #delegate(
    caller: string,
    to: Receiver,
    { task, context: facts }: Task,
    context: ToolContext,
  ): Promise<ToolOutput> {
    const runtime = this.#runtime()
    const { now } = runtime.internals.settings
    const { namespace, runId, callId, envelope, principal, signal } = context
    const chain = [...(envelope?.agents ?? []), caller]
    this.#assertMay(chain, to)
    const { maxTurns, timeoutMs } = this.#limits
    const session = delegatedIn(namespace).child(runId, context.idempotencyKey.replaceAll(":", "."))
    const message = facts?.trim() ? `${task}\n\nContext:\n${facts}` : task
    const submission = await this.#counted(runId, async () => {
      await this.#assertRoom(delegatedIn(namespace).child(runId), session)
      return await runtime.submit(session, userMessage(message, { kind: "agent", name: caller }), {
        inputId: context.idempotencyKey,
        agent: to.agent,
        ...(principal !== undefined && { principal }),
        ...(maxTurns !== undefined && { maxTurns }),
        envelope: {
          agents: chain,
          depth: chain.length,
          deadline: Math.min(now() + timeoutMs, envelope?.deadline ?? Number.POSITIVE_INFINITY),
          parent: { namespace: namespace.key, runId, callId },
          bounds: [...(envelope?.bounds ?? []), ...to.bounds, ...frozen(this.#profile(caller)?.policy)],
          ...(to.helper && { helper: true }),
          ...(context.tainted && { tainted: true }),
        },
      })
    })
    const stop = (): void => void runtime.stop(session).catch(() => {})
    signal.addEventListener("abort", stop, { once: true })
    try {
      if (signal.aborted) stop()
      return await this.#answer(to, submission, context)
    } finally {
      signal.removeEventListener("abort", stop)
      this.#awaited.delete(session.key)
    }
  }

  /** @throws OrraError that tells the model why not, and who is at work. */
  #assertMay(chain: readonly string[], to: Receiver): void {
    const { maxDepth } = this.#limits
    const way = chain.join(" -> ")
    if (!to.helper && chain.some((name) => agentKey(name) === agentKey(to.agent))) {
      throw new OrraError(
        "delegation_cycle",
        `${to.agent} cannot be asked: it is waiting for this very task (${way} -> ${to.agent}). Do it yourself, or answer with what is missing.`,
      )
    }
    if (chain.length > maxDepth) {
      throw new OrraError(
        "delegation_too_deep",
        `Tasks are handed on at most ${maxDepth} times, and this one has been (${way}). Do it yourself, or answer with what is missing.`,
      )
    }
  }

  /** @throws OrraError when the run has handed on as many tasks as it may. This one counts once, however often it is tried. */
  async #assertRoom(below: Namespace, session: Namespace): Promise<void> {
    const { maxFanOut } = this.#limits
    const all = await sessionsBelow(this.#runtime().store, below, {})
    // What these have handed on is further down.
    const others = all.filter((each) => each.depth === session.depth && !session.equals(each))
    if (others.length < maxFanOut) return
    throw new OrraError(
      "delegation_too_many",
      `A run hands on at most ${maxFanOut} tasks, and this one has. Do the rest yourself, or say what is left.`,
    )
  }

  async #counted<T>(runId: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#counting.get(runId) ?? Promise.resolve()).then(work)
    const settled = turn.then(
      () => {},
      () => {},
    )
    this.#counting.set(runId, settled)
    try {
      return await turn
    } finally {
      if (this.#counting.get(runId) === settled) this.#counting.delete(runId)
    }
  }

  /** What came of a task, or `PENDING` while it waits: whoever is there when it ends wakes the caller. */
  async #answer(to: Receiver, submission: Submission, context: ToolContext): Promise<ToolOutput> {
    const runtime = this.#runtime()
    const { namespace } = submission
    for (;;) {
      this.#awaited.add(namespace.key)
      const info = await runtime.info(namespace)
      if (!info) throw new NotFound("session")
      // Of a run that waits, or that another process has, nothing is heard here.
      if (info.openRun === undefined || (!info.waiting && runtime.isRunning(namespace))) {
        const answer = await this.#followed(to, submission, context)
        if (answer) return answer
        continue
      }
      // From here on its end wakes the caller. One that came before shows now.
      this.#awaited.delete(namespace.key)
      if ((await runtime.info(namespace))?.openRun !== undefined) return PENDING
    }
  }

  /** How the task ended; undefined when it waits. @throws OrraError when it was stopped. */
  async #followed(
    to: Receiver,
    submission: Submission,
    { signal, progress }: ToolContext,
  ): Promise<ToolOutput | undefined> {
    const name = to.helper ? `${to.agent}'s helper` : to.agent
    let last = ""
    let untrusted = false
    let isWaiting = false
    for await (const event of this.#runtime().follow(submission, { signal })) {
      isWaiting = event.type === "run_waiting"
      if (event.type === "tool_intent") progress(`${name}: ${event.name}`)
      else if (event.type === "progress") progress(`${name}: ${event.text}`)
      else if (event.type === "assistant") {
        last = messageText(event.message)
        untrusted = event.tainted ?? false
      } else if (event.type === "failure") throw new OrraError(event.failure.code, event.failure.message)
      else if (event.type === "run_finished")
        return output(name, to.agent, submission, resultOf(event, last), untrusted)
    }
    if (isWaiting) return undefined
    throw new OrraError("aborted", `${name} was stopped.`)
  }

  /** The caller may be waiting for this: in whatever process it goes on. */
  async #ended({ namespace, envelope }: HookContext): Promise<void> {
    if (envelope?.parent && !this.#awaited.has(namespace.key))
      await this.wake(Namespace.parse(envelope.parent.namespace))
  }

  /** Lets the run of a session look again at what it has handed on. */
  async wake(namespace: Namespace): Promise<void> {
    try {
      await this.#runtime().wake(namespace)
    } catch (error) {
      // A process that ends leaves it to the next one's `recover`.
      if (!(error instanceof OrraError && error.code === "closed")) throw error
    }
  }

  /** What is done for somebody ends with their run: after a stop, a failure, or when the session is deleted. */
  async #guard({ envelope }: HookContext): Promise<{ readonly end: string } | undefined> {
    if (!envelope?.parent) return undefined
    const { parent } = envelope
    for (
      let caller: Caller | undefined = { ...parent, namespace: Namespace.parse(parent.namespace) };
      caller;
    ) {
      const info = await this.#runtime().info(caller.namespace)
      if (info?.openRun !== caller.runId) return { end: "The run that asked for this is over." }
      caller = callerOf(caller.namespace)
    }
    return undefined
  }
}
