import { type ApprovalGate, type Asked, askPerson, type Desk } from "./approval-gate.ts"
import { canonicalJson } from "./canonical-json.ts"
import { defined } from "./defined.ts"
import { InvalidInput, NotFound, OrraError, VersionConflict } from "./errors.ts"
import { isObject, type JsonObject } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import { newest } from "./newest.ts"
import { everyItem } from "./paging.ts"
import { readBack } from "./read-back.ts"
import type { Records, StoredRecord } from "./records.ts"
import type { Runtime } from "./runtime.ts"
import type { Approval, Entry } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** A call that waits for a decision. */
export interface PendingApproval {
  readonly namespace: Namespace
  readonly approvalId: string
  readonly runId: string
  readonly tool: string
  readonly arguments: JsonObject
  /** The policy layer and rule that ask. */
  readonly reason: string
  /** Who asked for the run. */
  readonly principal?: string
  /** Which agent wants to call it, where there are several. */
  readonly agent?: string
  /** Who handed the task on to that agent, outermost first; undefined where nobody did. */
  readonly delegatedBy?: readonly string[]
  /** The session had read what strangers wrote: what the call is for may be theirs. */
  readonly tainted?: true
  /** ms since 1970. */
  readonly requestedAt: number
  readonly expiresAt: number
}

/** A decision about one call. */
export interface ApprovalDecision {
  readonly decision: "approve" | "deny"
  /** Who decides, as the application has established it. */
  readonly by: string
  /** Why: recorded, and told to the model when it is a denial. */
  readonly note?: string
  /**
   * For an approval: calls like this one are approved from now on, with exactly these arguments or with any, in the
   * session or in `scope`, a namespace that contains it.
   */
  readonly remember?: { readonly calls: "arguments" | "tool"; readonly scope?: Namespace }
}

/** What stands approved in a namespace and below it. */
export interface ApprovalRule {
  readonly ruleId: string
  /** Where it is kept. */
  readonly namespace: Namespace
  /** `arguments`: exactly this call. `tool`: all calls of the tool. `everything`: whatever policy asks about. */
  readonly type: "arguments" | "tool" | "everything"
  readonly tool?: string
  readonly arguments?: JsonObject
  readonly by: string
  /** ms since 1970. */
  readonly at: number
  /** When it ends by itself, in ms since 1970. */
  readonly until?: number
}

/** What somebody wants to do, for `mayDecide`. */
export interface ApprovalAct {
  /** `decide` about one call, `remember` it as a rule, approve `everything` for a time, or `revoke` a rule. */
  readonly act: "decide" | "remember" | "everything" | "revoke"
  /** Where it has effect: the session, or the scope of the rule. */
  readonly namespace: Namespace
  readonly by: string
  /** Who asked for the run. */
  readonly principal?: string
  readonly tool?: string
  readonly arguments?: JsonObject
}

export interface ApprovalOptions {
  /** How long a question stays open. Default 24 hours. */
  readonly ttlMs?: number
  /** Whether `by` may do this. Default: the application has made sure before it called. */
  readonly mayDecide?: (act: ApprovalAct) => boolean | Promise<boolean>
}

const DAY = 86_400_000
/** A rule that ends is none for a clock that shows so much less than when it was made. */
const SKEW_MS = 60_000
const EVERYTHING = "everything"

const refused = (code: string, message: string): OrraError => new OrraError(code, message)
const notFound = (): OrraError => refused("approval_not_found", "No such approval.")

/**
 * Lets people decide about the calls that policy asks about. Such a call is recorded and its run waits, without a
 * lease, a timer or memory, until somebody decides, in whatever process. An approval is for one call of one run, with
 * exactly the arguments that were shown; when it is used, policy is asked again, and a denial there still denies.
 *
 * ```ts
 * const approvals = new Approvals({ mayDecide: ({ namespace, by }) => isAdmin(by, namespace) })
 * const runtime = new Runtime({ provider, store, tools, policies, approvals })
 * await runtime.run(ns, "Delete it.") // { outcome: "waiting", ... }
 * for (const { namespace, approvalId } of await approvals.list(tenant))
 *   await approvals.decide(namespace, approvalId, { decision: "approve", by: "ann" })
 * ```
 *
 * Each one belongs to one runtime.
 */
export class Approvals implements ApprovalGate, Desk {
  readonly ttlMs: number
  readonly #mayDecide: (act: ApprovalAct) => boolean | Promise<boolean>
  #host: Runtime | undefined

  constructor({ ttlMs = DAY, mayDecide = () => true }: ApprovalOptions = {}) {
    if (!(ttlMs > 0)) throw new InvalidInput("An approval's ttlMs is a number of milliseconds above 0.")
    this.ttlMs = ttlMs
    this.#mayDecide = mayDecide
  }

  /** Called by the runtime. @throws InvalidInput when they belong to another one. */
  attach(host: Runtime): void {
    if (this.#host) throw new InvalidInput("These approvals belong to another runtime: make new ones.")
    this.#host = host
  }

  get #attached(): Runtime {
    if (!this.#host) throw new InvalidInput("Give these approvals to a runtime first.")
    return this.#host
  }

  get #now(): number {
    return this.#attached.internals.settings.now()
  }

  get #rules(): Records {
    return this.#attached.store.records("approval-rules")
  }

  /** What waits for a decision at or below a namespace, by session, those of one session oldest first. */
  async list(prefix: Namespace): Promise<readonly PendingApproval[]> {
    const { store } = this.#attached
    const found: PendingApproval[] = []
    const sessions = everyItem((page) => store.list(prefix, { waiting: true, ...page }))
    for await (const { namespace, waiting } of sessions) {
      if (waiting && waiting.approvals > 0) found.push(...(await pending(store, namespace, this.#now)))
    }
    return found
  }

  /**
   * Decides about a call that waits. The first decision counts, in whatever process it was made. Resolves when it is
   * durable; the run goes on by itself.
   *
   * @throws OrraError: `approval_not_found` for an id that this session does not have, `approval_forbidden` when `by`
   *   may not decide, `approval_expired` when it is too late, `approval_decided` when it is decided or withdrawn.
   */
  async decide(namespace: Namespace, approvalId: string, decision: ApprovalDecision): Promise<void> {
    assertDecision(decision, namespace)
    const host = this.#attached
    const log = await host.internals.logs.existing(namespace).catch((error: unknown) => {
      throw error instanceof NotFound ? notFound() : error
    })
    const is = (request: Entry<"approval_request">): boolean => request.approvalId === approvalId
    const request = await newest(host.store, namespace, "approval_request", is)
    if (!request) throw notFound()
    const { by, note, remember } = decision
    const { name: tool, arguments: args, principal, callId, runId, expiresAt } = request
    const about = { by, tool, arguments: args, ...(principal !== undefined && { principal }) }
    const scope = remember?.scope ?? namespace
    await this.#assertMay({ act: "decide", namespace, ...about })
    if (remember) await this.#assertMay({ act: "remember", namespace: scope, ...about })
    try {
      await log.append(() => {
        if (this.#now >= expiresAt) {
          throw refused("approval_expired", "It is too late for this decision: the call has been refused.")
        }
        const open = log.openRun?.unanswered.get(callId)
        if (open?.request?.approvalId !== approvalId || open.answer) {
          throw refused("approval_decided", "This has been decided, or is no longer waited for.")
        }
        const body = { type: "approval_decision", at: Date.now(), runId, approvalId, callId } as const
        return [{ ...body, decision: decision.decision, by, ...(note !== undefined && { note }) }]
      })
      if (remember) {
        const rule = { type: remember.calls, tool, by, at: Date.now() }
        const exact = remember.calls === "arguments"
        const key = exact ? exactly(tool, request.digest) : anyOf(tool)
        await this.#rules.put(scope, key, exact ? { ...rule, arguments: args } : rule)
      }
    } finally {
      // Also when it is too late: the run need not wait any longer.
      await host.internals.driver.proceed(log)
    }
  }

  /** The rules that are kept at this namespace, with `below` also those of all below it: by namespace, then id. */
  async rules(
    namespace: Namespace,
    { below = false }: { readonly below?: boolean } = {},
  ): Promise<readonly ApprovalRule[]> {
    const found: ApprovalRule[] = []
    for await (const record of everyItem((page) => this.#rules.list(namespace, { below, ...page }))) {
      const rule = ruleOf(record, this.#now)
      if (rule) found.push(rule)
    }
    return found
  }

  /** Takes back a rule. @returns false when there is none. @throws OrraError (`approval_forbidden`). */
  async revoke(namespace: Namespace, ruleId: string, { by }: { readonly by: string }): Promise<boolean> {
    const record = await this.#rules.get(namespace, ruleId)
    const rule = record && ruleOf(record, this.#now)
    if (!rule) return false
    const { tool } = rule
    await this.#assertMay({ act: "revoke", namespace, by, ...(tool !== undefined && { tool }) })
    return await this.#rules.delete(namespace, ruleId)
  }

  /**
   * Keeps a rule again that was taken back, as `rules` gave it.
   *
   * @throws InvalidInput for everything that has ended; OrraError (`approval_forbidden`).
   */
  async restore(
    { namespace, ruleId: _, ...rule }: ApprovalRule,
    { by }: { readonly by: string },
  ): Promise<void> {
    const { type, tool, arguments: args, until } = rule
    if (type === EVERYTHING) assertSoon(until, this.#now)
    const act = type === EVERYTHING ? EVERYTHING : "remember"
    await this.#assertMay({ act, namespace, by, ...defined({ tool, arguments: args }) })
    // Under what it says, whatever it is called.
    await this.#rules.put(namespace, await this.#keyOf(rule), { ...rule })
  }

  async #keyOf({ type, tool = "", arguments: args = {} }: Omit<ApprovalRule, "ruleId" | "namespace">) {
    if (type === EVERYTHING) return EVERYTHING
    return type === "tool" ? anyOf(tool) : exactly(tool, await this.digest(args))
  }

  /**
   * Approves whatever policy asks about in a namespace and below it, until a time or for one, 24 hours at most. What
   * policy denies stays denied, and each call that it covers says so in the log. `revoke` it to end it before.
   *
   * @throws InvalidInput for a time that is longer, or past; OrraError (`approval_forbidden`).
   */
  async approveEverything(
    namespace: Namespace,
    { by, ...time }: { readonly by: string } & ({ readonly until: number } | { readonly forMs: number }),
  ): Promise<ApprovalRule> {
    const at = this.#now
    const until = "until" in time ? time.until : at + time.forMs
    assertSoon(until, at)
    await this.#assertMay({ act: "everything", namespace, by })
    const rule = { type: EVERYTHING, by, at, until } as const
    await this.#rules.put(namespace, EVERYTHING, rule)
    return { ruleId: EVERYTHING, namespace, ...rule }
  }

  async ask(...[effects, question, open]: Parameters<ApprovalGate["ask"]>): Promise<Asked> {
    try {
      return await askPerson(this, effects, question, open)
    } catch (error) {
      effects.report(error)
      return { type: "denied", layer: "approval", rule: "it could not be asked for" }
    }
  }

  async digest(args: JsonObject): Promise<string> {
    const text = new TextEncoder().encode(canonicalJson(args))
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text))
    return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  }

  async standing(namespace: Namespace, tool: string, digest: string): Promise<Approval | undefined> {
    for (const place of namespace.lineage) {
      for (const key of [exactly(tool, digest), anyOf(tool), EVERYTHING]) {
        const record = await this.#rules.get(place, key)
        if (!record) continue
        const rule = ruleOf(record, this.#now)
        if (!rule) {
          await this.#forget(record)
          continue
        }
        const { ruleId, by, until } = rule
        return { by, rule: ruleId, scope: place.key, ...(until !== undefined && { until }) }
      }
    }
    return undefined
  }

  /** What is over is taken away, so that a clock that is set back does not bring it back. */
  async #forget({ namespace, key, value, version }: StoredRecord): Promise<void> {
    if (!isObject(value) || !(Number(value["until"]) <= this.#now)) return
    try {
      await this.#rules.delete(namespace, key, { expected: version })
    } catch (error) {
      // Somebody has approved anew.
      if (!(error instanceof VersionConflict)) throw error
    }
  }

  async #assertMay(act: ApprovalAct): Promise<void> {
    if (typeof act.by !== "string" || act.by === "") throw new InvalidInput('Say in "by" who decides.')
    if ((await this.#mayDecide(act)) !== true) {
      throw refused("approval_forbidden", "You may not decide this: ask somebody who may.")
    }
  }
}

/** A tool's name has no ":" and the digest is hex: the keys of two rules never meet. */
const exactly = (tool: string, digest: string): string => `arguments:${tool}:${digest}`
const anyOf = (tool: string): string => `tool:${tool}`

function assertSoon(until = Number.POSITIVE_INFINITY, now: number): void {
  if (!(until > now && until <= now + DAY)) {
    throw new InvalidInput("Everything can be approved for 24 hours at most.")
  }
}

function assertDecision({ decision, remember }: ApprovalDecision, namespace: Namespace): void {
  if (decision !== "approve" && decision !== "deny") {
    throw new InvalidInput('A decision is "approve" or "deny".')
  }
  if (!remember) return
  const { calls, scope } = remember
  if (decision === "deny") throw new InvalidInput("Only an approval can be remembered: deny it by policy.")
  if (calls !== "arguments" && calls !== "tool") {
    throw new InvalidInput('What is remembered is "arguments" or "tool".')
  }
  if (scope && !scope.contains(namespace)) throw new InvalidInput("The scope must contain the session.")
}

/** The rule that a record holds, while it holds. */
function ruleOf({ namespace, key, value }: StoredRecord, now: number): ApprovalRule | undefined {
  if (!isObject(value)) return undefined
  const rule = value as unknown as Omit<ApprovalRule, "ruleId" | "namespace">
  if (rule.until !== undefined && rule.at > now + SKEW_MS) return undefined
  return rule.until !== undefined && rule.until <= now ? undefined : { ...rule, ruleId: key, namespace }
}

/** What a session's open run asks and nobody has decided, oldest first. */
async function pending(
  store: SessionStore,
  namespace: Namespace,
  now: number,
): Promise<readonly PendingApproval[]> {
  const found: Entry<"approval_request">[] = []
  const decided = new Set<string>()
  const tainted = new Set<string>()
  let run: Entry<"run_started"> | undefined
  const types = ["approval_request", "approval_decision", "tool_intent", "run_started"] as const
  for await (const entry of readBack(store, namespace, types, 100)) {
    if (entry.type === "run_started") {
      run = entry
      break
    }
    if (entry.type === "approval_decision") decided.add(entry.approvalId)
    else if (entry.type === "tool_intent") {
      if (entry.tainted) tainted.add(entry.callId)
    } else if (!decided.has(entry.approvalId) && now < entry.expiresAt) found.push(entry)
  }
  const { agent, envelope } = run ?? {}
  const delegatedBy = envelope && envelope.agents.length > 0 ? envelope.agents : undefined
  return found.reverse().map((entry) => {
    const { approvalId, runId, callId, name: tool, arguments: args, reason, principal, at, expiresAt } = entry
    const asks = defined({ principal, agent, delegatedBy })
    const taint = tainted.has(callId) ? { tainted: true as const } : {}
    const when = { requestedAt: at, expiresAt }
    return { namespace, approvalId, runId, tool, arguments: args, reason, ...asks, ...taint, ...when }
  })
}
