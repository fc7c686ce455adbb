import type { Approvals } from "./approval.ts"
import { parentOf } from "./branches.ts"
import { Broadcast } from "./broadcast.ts"
import { availableForInput, charEstimator, DEFAULT_BUDGET, toolCounter } from "./context.ts"
import { closed, Driver, type Opening } from "./driver.ts"
import { InvalidInput, NotFound, OrraError, SessionBusy, unfailing } from "./errors.ts"
import { followed } from "./follow.ts"
import { userEntryBefore } from "./history.ts"
import { recordFilter } from "./hook-calls.ts"
import { randomId } from "./ids.ts"
import type { JsonObject } from "./json.ts"
import type { LoopSettings } from "./loop-run.ts"
import { MemoryStore } from "./memory-store.ts"
import { messageText, type UserMessage } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import { newest } from "./newest.ts"
import { OpenLogs } from "./open-logs.ts"
import type { OpenRun } from "./open-run.ts"
import { continuation, duplicateOf, joining, rewind, toMessage, waitingInput } from "./opening.ts"
import type { Peers } from "./peers.ts"
import type { Policies } from "./policy.ts"
import { ALLOW_ALL } from "./policy-none.ts"
import type { Provider } from "./provider.ts"
import { recoverAll } from "./recover-all.ts"
import {
  detached,
  type RunEvent,
  type RunInput,
  type RunOptions,
  type RunResult,
  resultOf,
  type SessionChange,
  type Submission,
  type WhenBusy,
} from "./run.ts"
import { rethrown, succeeded } from "./run-end.ts"
import type { RuntimeInternals, RuntimeOptions } from "./runtime-options.ts"
import type { NewEntry, SessionInfo } from "./session.ts"
import { SessionLog } from "./session-log.ts"
import type { ListOptions, Page, SessionStore } from "./store.ts"
import { ToolRegistry } from "./tool.ts"

/** A message that was sent, and how its run ends, when it is one that began with it. */
interface Sent {
  readonly submission: Submission
  readonly result?: Promise<RunResult>
}

const mayWait = (whenBusy: WhenBusy): boolean => whenBusy === "queue" || whenBusy === "steer"

/**
 * Runs agents in sessions.
 *
 * ```ts
 * const runtime = new Runtime({ provider, store, tools: [weather] })
 * const ns = Namespace.of("tenant", "acme", "user", "bob", "chat-1")
 * const { text } = await runtime.run(ns, "What should I wear in Oslo?")
 * ```
 *
 * A message is durable before the model is asked. Whoever watches can leave and come back: the run goes on, and
 * `subscribe` continues after the last entry seen.
 */
export class Runtime {
  readonly provider: Provider
  readonly store: SessionStore
  readonly tools: ToolRegistry
  readonly policies: Policies
  /** Where people decide about the calls that policy asks about, when the runtime was given any. */
  readonly approvals: Approvals | undefined
  /** For functions of this package that not every program needs, such as `pin`. It may change with any release. */
  readonly internals: RuntimeInternals
  readonly #driver: Driver
  readonly #settings: LoopSettings
  readonly #logs: OpenLogs
  readonly #broadcast: Broadcast
  readonly #peers: Peers | undefined
  #closed = false

  constructor(options: RuntimeOptions) {
    const { approvals, peers, leaseTtlMs = 30_000, hooks = [], tokenizer = charEstimator } = options
    this.provider = options.provider
    this.store = options.store ?? new MemoryStore()
    this.tools = options.tools instanceof ToolRegistry ? options.tools : new ToolRegistry(options.tools)
    this.policies = options.policies ?? ALLOW_ALL
    this.approvals = approvals
    this.#peers = peers
    this.#broadcast = new Broadcast(this.store)
    const reserved = Math.max(DEFAULT_BUDGET.reservedForOutput, options.maxTokens ?? 0)
    const settings: LoopSettings = {
      ...options,
      tools: this.tools,
      policies: this.policies,
      gate: approvals,
      hooks,
      budget: { ...DEFAULT_BUDGET, reservedForOutput: reserved, ...options.context },
      tokenizer,
      countTools: toolCounter(tokenizer),
      deltaIntervalMs: options.deltaIntervalMs ?? 30,
      parallelTools: Math.max(1, options.parallelTools ?? 8),
      onError: unfailing(options.onError ?? ((error) => console.error(error))),
      now: peers?.now ?? (() => Date.now()),
    }
    this.#settings = settings
    this.#driver = new Driver({
      store: this.store,
      owner: options.owner ?? randomId(),
      leaseTtlMs,
      maxTurns: options.maxTurns ?? 10,
      notify: (namespace, notice) => this.#broadcast.notice(namespace, notice),
      left: peers?.left,
      settings,
    })
    this.#logs = new OpenLogs(this.#driver, (namespace) => this.#load(namespace))
    this.internals = {
      driver: this.#driver,
      settings,
      broadcast: this.#broadcast,
      leaseTtlMs,
      logs: this.#logs,
    }
    approvals?.attach(this)
    peers?.attach(this)
  }

  /**
   * Sends a message and waits for the answer: `stream()`, drained.
   *
   * @throws OrraError when the run failed, with the failure's code; the session keeps what happened.
   */
  async run(namespace: Namespace, input: RunInput, options: RunOptions = {}): Promise<RunResult> {
    const { submission, result } = await this.#send(namespace, input, options)
    if (result) return succeeded(await result.catch(rethrown))
    let last: RunEvent | undefined
    for await (const event of this.follow(submission)) {
      if (event.type === "failure") throw new OrraError(event.failure.code, event.failure.message)
      if (event.type === "input_cancelled" && event.inputId === submission.inputId)
        throw new OrraError("input_cancelled", "The message was taken back.")
      last = event
    }
    if (last?.type === "control") return detached(last.runId)
    if (last?.type === "run_finished" || last?.type === "run_waiting")
      return succeeded(await this.result(namespace, last.runId))
    throw new OrraError("aborted", "Watching the run ended before it did.")
  }

  /**
   * Sends a message and yields what happens, from the message itself to the `run_finished` of its run, or until that
   * waits. Leaving the loop only stops watching; `options.signal` or `stop()` stops the run.
   */
  stream(namespace: Namespace, input: RunInput, options: RunOptions = {}): AsyncGenerator<RunEvent, void> {
    return followed(this, () => this.submit(namespace, input, options))
  }

  /**
   * What happens from a message on, to the `run_finished` of its run; also of a message that waits, or was sent
   * before. It ends early when the message is taken back, and while its run waits: follow it again when that goes on.
   * Leaving the loop, or `signal`, only stops watching.
   */
  follow(
    submission: Submission,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<RunEvent, void> {
    return followed(this, async () => submission, options)
  }

  /**
   * Sends a message. Resolves when it is durable; the run goes on by itself.
   *
   * @throws InvalidInput for an empty message; SessionBusy with `whenBusy: "reject"`, or while another process runs
   *   the session and the runtime has no `peers`.
   */
  async submit(namespace: Namespace, input: RunInput, options: RunOptions = {}): Promise<Submission> {
    const { submission } = await this.#send(namespace, input, options)
    return submission
  }

  /** Sends a message; with the end of its run when that has begun. */
  async #send(namespace: Namespace, input: RunInput, options: RunOptions): Promise<Sent> {
    this.#assertOpen()
    const message = toMessage(input)
    const { inputId = randomId(), rewindTo } = options
    const whenBusy = options.whenBusy ?? (rewindTo === undefined ? "queue" : "interrupt")
    const log = await this.#logs.open(namespace)
    if (log.hasSeen(inputId)) return { submission: await duplicateOf(this.store, log, inputId) }
    const waits = mayWait(whenBusy)
    if (rewindTo !== undefined && waits) {
      throw new InvalidInput('A message that goes back cannot wait: use "interrupt" or "reject".')
    }
    // Somebody else may be quicker when the session becomes free: then that run is interrupted as well.
    while (whenBusy === "interrupt" && this.#driver.get(namespace)) await this.#driver.pause(namespace)
    const isNext = log.inputs.length === 0 && log.arriving === 0
    if (!this.#driver.get(namespace) && (!waits || isNext)) {
      const sent = await this.#start(log, inputId, message, options, whenBusy)
      if (sent) return sent
    }
    if (whenBusy === "reject") throw new SessionBusy()

    const active = this.#driver.get(namespace)
    active?.sent.add(inputId)
    const running = active?.log ?? log
    const waiting = waitingInput(inputId, message, whenBusy, options)
    running.arriving++
    const writing = running.append(() => {
      if (rewindTo !== undefined) rewind(running, rewindTo)
      return running.hasSeen(inputId) ? undefined : [waiting]
    })
    const [entry] = await writing.finally(() => running.arriving--)
    if (!entry) return { submission: await duplicateOf(this.store, running, inputId) }
    const submission: Submission = { status: "queued", namespace, inputId, cursor: entry.seq - 1 }
    if (options.signal) this.#obey(options.signal, submission).catch(this.#settings.onError)
    // The run may have ended while this was written: then nobody else looks at the queue.
    await this.#driver.proceed(running)
    return { submission }
  }

  /** Begins a run with the message; undefined when it has to wait behind a run that waits, or that of another process. */
  async #start(
    log: SessionLog,
    inputId: string,
    message: UserMessage,
    options: RunOptions,
    whenBusy: WhenBusy,
  ): Promise<Sent | undefined> {
    const { namespace } = log
    let again = false
    let isBehind = false
    const opening: Opening = () => {
      // Another process may have been sent the same message, or others that wait: all but those sent here since.
      again = log.hasJoined(inputId)
      const since = this.#driver.get(namespace)?.sent
      isBehind = mayWait(whenBusy) && log.inputs.some((input) => !since?.has(input.inputId))
      return again || isBehind ? undefined : joining(log, message, inputId, options.rewindTo)
    }
    try {
      const whenWaiting = whenBusy === "interrupt" ? "withdraw" : "stay"
      const { runId, cursor, result } = await this.#driver.start(log, opening, options, whenWaiting)
      if (isBehind && !again) return undefined
      if (!again) return { submission: { status: "started", namespace, inputId, runId, cursor }, result }
    } catch (error) {
      const mayWait = this.#peers ?? (whenBusy !== "interrupt" && log.openRun?.waiting)
      if (mayWait && whenBusy !== "reject" && error instanceof SessionBusy) return undefined
      if (!again) throw error
    }
    return { submission: await duplicateOf(this.store, log, inputId) }
  }

  /** Does for a message that waits what its signal says: takes it back, or stops its run once it has one. */
  async #obey(signal: AbortSignal, submission: Submission): Promise<void> {
    const { namespace, inputId } = submission
    for await (const _ of this.follow(submission, { signal }));
    if (signal.aborted && !(await this.cancelInput(namespace, inputId))) await this.stop(namespace)
  }

  /**
   * Goes on from where the transcript stands: after an interruption, a failure, a stop, or too many turns.
   *
   * @throws NotFound without such a session; SessionBusy while it runs; InvalidInput when nothing was said yet.
   */
  async resume(namespace: Namespace, options: RunOptions = {}): Promise<Submission> {
    this.#assertOpen()
    const log = await this.#logs.existing(namespace)
    const inputId = randomId()
    const opening = () => continuation(log, inputId)
    const { runId, cursor } = await this.#driver.start(log, opening, options, "stay")
    return { status: "started", namespace, inputId, runId, cursor }
  }

  /**
   * Another answer to a message: `seq` is the message's entry or that of an answer to it. A run in progress is
   * stopped; the present answer stays as another branch.
   */
  async regenerate(namespace: Namespace, seq: number, options: RunOptions = {}): Promise<Submission> {
    this.#assertOpen()
    const log = await this.#logs.existing(namespace)
    const to = await userEntryBefore(this.store, log, seq)
    if (to === undefined) throw new NotFound("message")
    await this.#driver.pause(namespace)
    const { runId, cursor } = await this.#driver.start(log, () => [rewind(log, to)], options)
    return { status: "started", namespace, inputId: randomId(), runId, cursor }
  }

  /**
   * Sends a message in place of an earlier one, `seq`. A run in progress is stopped; what followed the earlier
   * message stays as another branch.
   */
  async edit(
    namespace: Namespace,
    seq: number,
    input: RunInput,
    options: RunOptions = {},
  ): Promise<Submission> {
    const log = await this.#logs.existing(namespace)
    if (!Number.isInteger(seq)) throw new NotFound("message")
    const [entry] = await this.store.read(namespace, { after: seq - 1, before: seq + 1 })
    if (entry?.type !== "user") throw new NotFound("message")
    return await this.submit(namespace, input, { ...options, rewindTo: parentOf(log.stretches, seq) })
  }

  /**
   * Makes the branch that ends with the entry `tip` the current one; 0 is before the first entry.
   *
   * @throws SessionBusy while a run goes on.
   */
  async switchBranch(namespace: Namespace, tip: number): Promise<void> {
    const log = await this.#logs.existing(namespace)
    await this.#driver.withLease(namespace, async (lease) => {
      // From another branch its calls and its text so far would no longer be found.
      await this.#driver.closeOpenRun(log, lease)
      await log.append(() => [rewind(log, tip)], { lease })
    })
    await log.refresh()
  }

  /**
   * Stops the answer being written: the request to the provider and the tools end, what was written stays. What a run
   * waits for is withdrawn. Messages that wait take their turn. With `peers` also in another process: then it is asked
   * for, durably, when this resolves. @returns false when nothing was running.
   */
  async stop(namespace: Namespace): Promise<boolean> {
    const active = this.#driver.get(namespace)
    if (active) {
      active.stop.abort()
      await active.ended.catch(() => {})
      // One that has not begun may be another process's by now.
      if (active.runId !== undefined || !this.#peers) return true
    }
    const log = await this.#logs.open(namespace)
    await log.refresh()
    if (this.#peers) return await this.#peers.stop(log)
    if (!log.openRun?.waiting) return false
    await this.#driver.withLease(namespace, (lease) => this.#driver.closeOpenRun(log, lease))
    await this.#driver.proceed(log)
    return true
  }

  /**
   * Lets the run go on without its caller: its signal no longer stops it, and `run()` and `stream()` end for them, with
   * the outcome `detached`. The run ends as it would have. With `peers` also in another process.
   *
   * @returns false when nothing was running.
   */
  async detach(namespace: Namespace): Promise<boolean> {
    const log = await this.#ask(namespace, ({ runId, detach }) =>
      detach ? undefined : [{ type: "control", at: Date.now(), runId, action: "detach" }],
    )
    this.#driver.get(namespace)?.detach()
    return log !== undefined
  }

  /**
   * Says that what the session's run waits for may have happened: tools that answered `PENDING` are executed again,
   * with the same idempotency key. Durable when it resolves, also where another process runs the session.
   *
   * @returns false when no run is open.
   */
  async wake(namespace: Namespace): Promise<boolean> {
    this.#assertOpen()
    const log = await this.#ask(namespace, ({ runId, woken }) =>
      woken ? undefined : [{ type: "wake", at: Date.now(), runId }],
    )
    if (log) await this.#driver.proceed(log)
    return log !== undefined
  }

  /** Writes into the log what is asked of the open run. @returns undefined when there is none. */
  async #ask(
    namespace: Namespace,
    entries: (open: OpenRun) => readonly NewEntry[] | undefined,
  ): Promise<SessionLog | undefined> {
    const log = await this.#logs.open(namespace)
    await log.refresh()
    if (!log.openRun) return undefined
    await log.append(() => log.openRun && entries(log.openRun))
    return log
  }

  /** Takes back a message that waits. @returns false when it is not waiting (any more). */
  async cancelInput(namespace: Namespace, inputId: string): Promise<boolean> {
    const log = await this.#logs.existing(namespace)
    const written = await log.append(() =>
      log.inputs.some((input) => input.inputId === inputId)
        ? [{ type: "input_cancelled", at: Date.now(), inputId }]
        : undefined,
    )
    return written.length > 0
  }

  isRunning(namespace: Namespace): boolean {
    return this.#driver.get(namespace) !== undefined
  }

  /** How a run ended, once it has or as soon as it waits. @throws NotFound when the session has no such run. */
  async result(namespace: Namespace, runId: string): Promise<RunResult> {
    const active = this.#driver.get(namespace)
    if (active?.runId === runId) await active.ended.catch(() => {})
    const end = await newest(this.store, namespace, "run_finished", (entry) => entry.runId === runId)
    const isOurs = (entry: { readonly runId: string }): boolean => entry.runId === runId
    const wait = end ? undefined : await newest(this.store, namespace, "run_waiting", isOurs)
    const answer = await newest(this.store, namespace, "assistant", isOurs, end?.seq)
    const text = answer ? messageText(answer.message) : ""
    if (end) return resultOf(end, text)
    if (wait) return { runId, outcome: "waiting", text, usage: wait.usage }
    throw new NotFound("run")
  }

  /**
   * What happens in a session: the entries after `after` (default: from now on), then new ones as they are written,
   * each exactly once. It ends with the runtime only: abort the signal or leave the loop.
   */
  subscribe(
    namespace: Namespace,
    options: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<RunEvent, void> {
    return this.#broadcast.subscribe(namespace, options)
  }

  /** Changes of the sessions at or below a namespace, from now on: what keeps a list of them current. */
  watch(
    prefix: Namespace,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<SessionChange, void> {
    return this.#broadcast.watch(prefix, options.signal)
  }

  info(namespace: Namespace): Promise<SessionInfo | undefined> {
    return this.store.info(namespace)
  }

  list(prefix: Namespace, options?: ListOptions): Promise<Page<SessionInfo>> {
    return this.store.list(prefix, options)
  }

  /** Changes the session's metadata; null removes a key. @throws NotFound without such a session. */
  async update(namespace: Namespace, patch: JsonObject): Promise<SessionInfo> {
    const log = await this.#logs.existing(namespace)
    await log.append(() => (log.info ? [{ type: "meta", at: Date.now(), patch }] : undefined))
    if (!log.info) throw new NotFound("session")
    return log.info
  }

  /** Stops the session's run and removes it with everything in it. */
  async delete(namespace: Namespace): Promise<boolean> {
    await this.#driver.pause(namespace)
    this.#logs.forget(namespace)
    const existed = await this.store.delete(namespace)
    if (existed) this.#broadcast.deleted(namespace)
    return existed
  }

  /**
   * Closes what dead processes left open below `prefix`: answers cut off are marked interrupted, calls without a
   * result get one that says what is known. With `resume` the runs go on instead: idempotent calls are executed again
   * with the same key, others are unknown, and the model is asked. Runs that wait are left to wait, unless their wait
   * is over. Sessions that another process is running are left alone.
   *
   * @returns the sessions whose runs it closed or set going again.
   */
  async recover(
    prefix: Namespace,
    { resume = false }: { readonly resume?: boolean } = {},
  ): Promise<readonly Namespace[]> {
    return await recoverAll(this.store, this.#driver, this.#logs, prefix, resume)
  }

  /** Stops all runs, waits for them, and ends all that watch. The provider and the store stay open: they were given. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#peers?.close()
    await this.#driver.close()

    this.#broadcast.close()
  }

  #assertOpen(): void {
    if (this.#closed) throw closed()
  }

  #load(namespace: Namespace): Promise<SessionLog> {
    const { budget, tokenizer, hooks, onError } = this.#settings
    const available = availableForInput(budget)
    return SessionLog.open(namespace, this.store, {
      tokenizer,
      viewTokens: available,
      maxResultTokens: Math.floor(available * budget.toolResultShare),
      onAppend: (_, entries, info) => this.#broadcast.entries(namespace, entries, info),
      onDeleted: () => this.#broadcast.deleted(namespace),
      filter: recordFilter(hooks, namespace, onError),
    })
  }
}
