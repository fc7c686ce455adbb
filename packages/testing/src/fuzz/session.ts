import {
  Approvals,
  compact,
  DynamicProvider,
  isEntry,
  MemoryStore,
  Namespace,
  OrraError,
  PolicyRegistry,
  type Provider,
  pin,
  Runtime,
  readHistory,
  type Submission,
  summarize,
  Team,
  type UserMessage,
  unpin,
} from "@orra/core"
import { type Mortal, mortal } from "../crash/mortal.ts"
import { kindOf, requestProblem, signedBy } from "./checks.ts"
import { AGENTS, DELEGATION, SessionMarks, taskProblem } from "./delegations.ts"
import { argumentsText, callId, type FuzzedExecution, fuzzTools, written } from "./fixture.ts"
import { type RecordingStore, recordingStore } from "./recording-store.ts"
import { NS, restProblems, untoldProblems } from "./rest.ts"
import type { ModelAnswer, Sequence, Step } from "./steps.ts"
import type { Service } from "./wire-fetch.ts"

const PREFIX = Namespace.of("fuzz")

/** Turns of the event loop without an end after which nobody is waited for any more: most of them last a millisecond. */
const STUCK = 20_000

const FINE: ModelAnswer = { pieces: [{ type: "text", text: "Fine." }], end: "whole" }

/** What may be answered to whom acts on a session at the wrong moment. */
const EXPECTED: ReadonlySet<string> = new Set([
  "session_busy",
  "not_found",
  "invalid_input",
  "closed",
  "pins_full",
  "lease_lost",
  "store_session_deleted",
  "store_process_dead",
  "approval_not_found",
  "approval_decided",
])

/** One process and its runtime. */
interface Life {
  readonly mortal: Mortal
  readonly runtime: Runtime
  /** The runtime is that of the team, where there is one. */
  readonly team: Team | undefined
  readonly approvals: Approvals
}

/** A session to which a sequence happens. */
export class FuzzSession implements Service {
  readonly #sequence: Sequence
  readonly #providers: readonly Provider[]
  readonly #store: RecordingStore = recordingStore(new MemoryStore())
  readonly #dynamic: DynamicProvider
  readonly #executions: FuzzedExecution[] = []
  readonly #marks = new SessionMarks()
  readonly #parked = new Set<() => void>()
  readonly #abandoned: (() => void)[] = []
  /** What processes waited for when they died: let go when all is over, so that nothing keeps them. */
  readonly #orphaned: (() => void)[] = []
  readonly #lives: Mortal[] = []
  readonly #pending = new Set<Promise<void>>()
  readonly #watching = new AbortController()
  readonly #problems: string[] = []
  /** With the number of deletions before it: what was deleted is gone. */
  readonly #accepted = new Map<string, number>()
  #life: Life
  /** Resolves when the present process dies. */
  #crash = Promise.withResolvers<void>()
  #script: ModelAnswer[] = []
  #messages = 0
  #calls = 0
  #account = 1
  #last: { readonly message: UserMessage; readonly inputId: string } | undefined
  /** How many requests were sent and checked. */
  requests = 0
  /** What is in the log at the end. */
  readonly seen: string[] = []

  constructor(sequence: Sequence, providers: readonly Provider[]) {
    this.#sequence = sequence
    this.#providers = providers
    this.#dynamic = new DynamicProvider(providers[sequence.provider % providers.length])
    this.#life = this.#begin()
  }

  ask: Service["ask"] = (family, body) => {
    this.requests++
    const sent = JSON.stringify(body)
    const written = this.#store.written(this.#marks.of(sent) ?? NS)
    const isSmall = this.#sequence.maxTokens < 10_000
    const problem = requestProblem(family, body, written) ?? taskProblem(sent, isSmall ? [] : written)
    if (problem !== undefined) this.#problems.push(`Request ${this.requests}, ${family}: ${problem}`)
    return problem
  }

  answer: Service["answer"] = () => this.#script.shift() ?? FINE

  call: Service["call"] = ({ tool, args, id }) => {
    const n = ++this.#calls
    return { id: callId(id, n), text: argumentsText(tool, args, n) }
  }

  signature: Service["signature"] = (family, model) => `${signedBy(family, model)}${this.#account}`

  opens: Service["opens"] = (signature) => signature.endsWith(`|${this.#account}`)

  /** Waits to be let go. What ignores its signal is no longer waited for once it has fired, and ends late. */
  gate = (signal?: AbortSignal, heeds = true): Promise<void> =>
    new Promise((resolve, reject) => {
      const release = (): void => {
        this.#parked.delete(release)
        // The SDKs keep the signal until the answer's body is collected: what listens to it is kept as long.
        signal?.removeEventListener("abort", onAbort)
        resolve()
      }
      this.#parked.add(release)
      const onAbort = (): void => {
        this.#parked.delete(release)
        if (heeds) reject(signal?.reason)
        else this.#abandoned.push(resolve)
      }
      if (signal?.aborted) onAbort()
      else signal?.addEventListener("abort", onAbort, { once: true })
    })

  /** Does the steps, then lets everything come to an end. @returns what went wrong, or undefined. */
  async run(): Promise<string | undefined> {
    try {
      for (const step of this.#sequence.steps) {
        const done = this.#track(this.#do(step, this.#life), this.#life)
        // Turns of the event loop are counted, not what happens in them.
        if (step.do === "tick") await done
        else if (!step.aside) {
          await this.#within(done, step.do)
          await this.#settle(true)
        }
        if (this.#problems.length > 0) break
      }
      await this.#end()
    } catch (error) {
      this.#problems.push(error instanceof Error ? error.message : String(error))
    } finally {
      this.#watching.abort()
      for (const life of this.#lives) life.bury()
      for (const resolve of [...this.#parked, ...this.#abandoned, ...this.#orphaned]) resolve()
    }
    return this.#problems[0]
  }

  #begin(): Life {
    const life = mortal()
    this.#lives.push(life)
    const policies = PolicyRegistry.allowAll()
    const approvals = new Approvals()
    policies.set(PREFIX, { deny: ["forbidden"], ask: ["delicate"] })
    const { maxTokens, maxTurns, parallelTools, sumsUp, team: isTeam } = this.#sequence
    const options = {
      provider: life.provider(this.#dynamic),
      store: life.store(this.#store),
      tools: fuzzTools({ executions: this.#executions, gate: this.gate }).map((each) => life.tool(each)),
      policies,
      approvals,
      owner: "fuzz",
      context: { maxTokens, reservedForOutput: 0 },
      ...(sumsUp && { compaction: summarize({ isWorthwhile: () => true }) }),
      maxTurns,
      parallelTools,
      deltaIntervalMs: 0,
      onError: (error: unknown) => {
        // A summary that did not come about is told and does no harm.
        const isSummary = sumsUp && error instanceof OrraError && /^(provider|summary)_/.test(error.code)
        if (!life.dead && !isExpected(error) && !isSummary) this.#problems.push(`Reported: ${String(error)}`)
      },
    }
    const team = isTeam
      ? new Team({ ...options, agents: AGENTS, delegation: DELEGATION, hooks: [this.#marks.hooks] })
      : undefined
    const runtime = team?.runtime ?? new Runtime({ ...options, systemPrompt: "Be kind." })
    return { mortal: life, runtime, team, approvals }
  }

  async #track(work: Promise<unknown>, { mortal: life }: Life): Promise<void> {
    const task = work.then(
      () => {},
      (error: unknown) => {
        if (!life.dead && !isExpected(error)) this.#problems.push(`Thrown: ${String(error)}`)
      },
    )
    this.#pending.add(task)
    await task
    this.#pending.delete(task)
  }

  async #do(step: Step, { runtime, team, approvals }: Life): Promise<void> {
    if ("answers" in step) this.#script.push(...step.answers)
    switch (step.do) {
      case "send": {
        const n = ++this.#messages
        const message = written(step.words, n)
        const inputId = `input-${n}`
        this.#last = { message, inputId }
        const { deletions } = this.#store
        const submission = await runtime.submit(NS, message, { whenBusy: step.whenBusy, inputId })
        if (deletions === this.#store.deletions) this.#accepted.set(inputId, deletions)
        if (step.read !== undefined) this.#read(runtime, submission, step.read)
        return
      }
      case "send again":
        if (this.#last) await runtime.submit(NS, this.#last.message, { inputId: this.#last.inputId })
        return
      case "resume":
        await runtime.resume(NS)
        return
      case "edit": {
        const seq = await this.#seqOf(runtime, "user", step.which)
        await runtime.edit(NS, seq, written("plain", ++this.#messages))
        return
      }
      case "regenerate":
        await runtime.regenerate(NS, await this.#seqOf(runtime, "assistant", step.which))
        return
      case "switch branch": {
        const history = await readHistory(runtime, NS)
        const tips = history?.forks.flatMap(({ branches }) => branches.map(({ tip }) => tip)) ?? []
        const tip = tips[step.which % Math.max(1, tips.length)]
        if (tip !== undefined) await runtime.switchBranch(NS, tip)
        return
      }
      case "cancel": {
        const queued = (await readHistory(runtime, NS))?.queued ?? []
        const input = queued[step.which % Math.max(1, queued.length)]
        if (input) await runtime.cancelInput(NS, input.inputId)
        return
      }
      case "pin":
        await pin(runtime, NS, await this.#seqOf(runtime, step.type, step.which))
        return
      case "unpin": {
        const pins = (await readHistory(runtime, NS))?.pins ?? []
        const [seq] = pins[step.which % Math.max(1, pins.length)]?.seqs ?? []
        if (seq !== undefined) await unpin(runtime, NS, seq)
        return
      }
      case "compact":
        // A model may be asked, who waits at a gate.
        this.#track(Promise.race([compact(runtime, NS), this.#crash.promise]), this.#life)
        return
      case "stop":
        await (team ?? runtime).stop(NS)
        return
      case "open gates":
        this.#open()
        return
      case "tick":
        for (let turn = 0; turn < step.turns; turn++) await nextTurn()
        return
      case "crash":
        this.#life.mortal.bury()
        this.#crash.resolve()
        this.#crash = Promise.withResolvers()
        this.#orphaned.push(...this.#parked)
        this.#parked.clear()
        // Nobody is left who would wait for what the dead process was doing.
        this.#pending.clear()
        this.#life = this.#begin()
        if (step.recover !== "no") await this.#recover(step.recover === "resume")
        return
      case "decide": {
        const { which, decision, remember, forged } = step
        const pending = await approvals.list(PREFIX)
        const { namespace = NS, approvalId = "" } = pending[which % Math.max(1, pending.length)] ?? {}
        const calls = decision === "approve" ? remember : undefined
        await approvals.decide(forged ? PREFIX : namespace, approvalId, {
          decision,
          by: "ann",
          ...(calls && { remember: { calls } }),
        })
        return
      }
      case "approve everything":
        if (step.end) await approvals.revoke(NS, "everything", { by: "ann" })
        else await approvals.approveEverything(NS, { forMs: 60_000, by: "ann" })
        return
      case "wake":
        await runtime.wake(NS)
        return
      case "detach":
        await runtime.detach(NS)
        return
      case "restart":
        await runtime.close()
        this.#life = this.#begin()
        return
      case "swap":
        this.#dynamic.swap(this.#providers[step.provider % this.#providers.length])
        return
      case "new account":
        this.#account++
        return
      case "rename":
        await runtime.update(NS, { title: `Title ${this.#calls}` })
        return
      case "delete":
        await (team ?? runtime).delete(NS)
    }
  }

  /** The entry of that type, counted from the newest; 1 when there is none. */
  async #seqOf(runtime: Runtime, type: "user" | "assistant", which: number): Promise<number> {
    const entries = (await readHistory(runtime, NS))?.entries.filter((entry) => entry.type === type) ?? []
    return entries.at(-1 - (which % Math.max(1, entries.length)))?.seq ?? 1
  }

  /** Reads so many events and leaves. What is read comes in order, each once. */
  #read(runtime: Runtime, submission: Submission, count: number): void {
    const read = async (): Promise<void> => {
      let seen = submission.cursor
      let left = count
      if (left === 0) return
      for await (const event of runtime.follow(submission, { signal: this.#watching.signal })) {
        if (isEntry(event)) {
          // A session that was deleted and begun again counts from 1.
          if (event.seq <= seen && event.seq !== 1)
            this.#problems.push(`Entry ${event.seq} was read after ${seen}.`)
          seen = event.seq
        }
        if (--left === 0) return
      }
    }
    read().catch((error: unknown) => {
      if (!isExpected(error)) this.#problems.push(`Reading: ${String(error)}`)
    })
  }

  #open(): void {
    for (const release of [...this.#parked]) release()
    for (const resolve of this.#abandoned.splice(0)) resolve()
  }

  /** Until all is done; with `gates`, or until something waits at one. */
  async #settle(gates: boolean): Promise<void> {
    for (let turn = 0; turn < STUCK; turn++) {
      await nextTurn(turn)
      if (this.#parked.size > 0) {
        if (gates) return
        this.#open()
      } else if (!this.#isRunning() && this.#pending.size === 0) return
    }
    throw new Error(`Nothing moves: ${this.#pending.size} calls wait, running: ${this.#isRunning()}.`)
  }

  #isRunning(): boolean {
    const { runtime } = this.#life
    return runtime.isRunning(NS) || this.#store.sessions().some((each) => runtime.isRunning(each))
  }

  async #recover(resume: boolean): Promise<void> {
    const { runtime, team } = this.#life
    await (team ?? runtime).recover(PREFIX, { resume })
  }

  async #within(done: Promise<void>, what: string): Promise<void> {
    let over = false
    done.finally(() => {
      over = true
    })
    for (let turn = 0; !over; turn++) {
      if (turn > STUCK + 100) throw new Error(`"${what}" never ends.`)
      // It may wait for what stands at a gate: a summary that is being made.
      if (turn > 100 && this.#parked.size > 0) this.#open()
      await (turn === 0 ? Promise.race([done, nextTurn()]) : nextTurn(turn))
    }
  }

  async #end(): Promise<void> {
    if (this.#problems.length > 0) return
    this.#script = []
    await this.#settle(false)
    // What is missed while no process lives is told by the next one's recovery.
    if (this.#lives.length === 1) this.#problems.push(...(await untoldProblems(this.#store)))
    await this.#recover(false)
    await this.#settle(false)
    await this.#decideRest()
    await this.#checkLogs()
    // Whatever happened, the session goes on, with every provider.
    for (const provider of this.#providers) {
      if (this.#problems.length > 0) return
      this.#dynamic.swap(provider)
      const n = ++this.#messages
      const task = this.#life.runtime.run(NS, written("plain", n), { inputId: `input-${n}` }).then(
        ({ outcome }) => {
          if (outcome !== "completed") this.#problems.push(`At last the run was ${outcome}.`)
        },
        (error: unknown) => {
          const code = error instanceof OrraError ? error.code : ""
          const tooLong = code === "context_too_long" && this.#sequence.maxTokens < 10_000
          if (!tooLong) this.#problems.push(`At last: ${String(error)}`)
        },
      )
      await this.#within(task, "the last message")
    }
    await this.#settle(false)
    await this.#checkLogs()
    this.seen.push(...this.#store.written(NS).map(kindOf))
    for (const child of this.#store.sessions()) {
      if (!child.equals(NS))
        this.seen.push(...this.#store.written(child).map((each) => `child ${kindOf(each)}`))
    }
    await this.#within(this.#life.runtime.close(), "close")
  }

  async #checkLogs(): Promise<void> {
    const { runtime } = this.#life
    const seen = { runtime, store: this.#store, executions: this.#executions, accepted: this.#accepted }
    this.#problems.push(...(await restProblems(seen)))
  }

  /** Sessions that wait at the end are decided about until they do not. */
  async #decideRest(): Promise<void> {
    const { runtime, approvals } = this.#life
    const waiting = async () => (await runtime.store.list(PREFIX, { waiting: true })).items
    let left = await waiting()
    for (let n = 0; left.length > 0; left = await waiting(), n++) {
      if (n > 100) throw new Error("A session waits for ever.")
      const [pending] = await approvals.list(PREFIX)
      const decision = n % 2 === 0 ? "approve" : "deny"
      if (pending) await approvals.decide(pending.namespace, pending.approvalId, { decision, by: "ann" })
      else for (const { namespace } of left) await runtime.wake(namespace)
      await this.#settle(false)
      this.#problems.push(...(await untoldProblems(this.#store)))
    }
  }
}

const isExpected = (error: unknown): boolean => error instanceof OrraError && EXPECTED.has(error.code)

/** The next turn of the event loop; after many of them slower, for what is done in other threads: a digest. */
const nextTurn = (turn = 0): Promise<void> =>
  new Promise((resolve) => (turn < 500 ? setImmediate(resolve) : setTimeout(resolve, 1)))
