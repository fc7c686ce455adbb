import { setTimeout } from "node:timers/promises"
import type { Fleet, Outcome } from "./fleet.ts"
import type { Action, HistoryEvent } from "./history.ts"
import { type Random, random } from "./random.ts"
import type { Pending, Reply } from "./serve.ts"
import { messageOf, sessionOf, type ToolName } from "./world.ts"

export interface ClientsOptions {
  readonly fleet: Fleet
  readonly write: (event: HistoryEvent) => void
  readonly processes: number
  readonly sessions: number
  readonly messages: number
  readonly seed: number
  readonly problems: string[]
}

/** Refusals after which nothing of what was asked has been done. */
const REFUSED: ReadonlySet<string> = new Set([
  "session_busy",
  "approval_decided",
  "approval_not_found",
  "approval_expired",
  "not_found",
])
/** Nobody waits longer to be told that something is done. */
const PATIENCE_MS = 60_000
/** Whoever asks goes on to the next thing after a while. The answer comes when it comes: others may be before it. */
const ASKING_MS = 1_000
/** Few things need approval: a session waits until it is given. */
const WISHES: readonly ToolName[] = ["keep", "keep", "keep", "post", "post", "pay"]

/** Those who send messages, stop runs, take messages back and decide, each time through some process or other. */
export class Clients {
  readonly #options: ClientsOptions
  readonly #watchers: { readonly count: number; readonly resolve: () => void }[] = []
  /** Those who still wait for an answer. */
  readonly #asking = new Set<string>()
  #ops = 0
  #sent = 0
  #accepted = 0
  #over = false

  constructor(options: ClientsOptions) {
    this.#options = options
  }

  /** Resolves when all messages have been sent by so many clients at the same time. */
  async work(clients: number): Promise<void> {
    const deciding = (async () => {
      const chance = random(this.#options.seed + 1)
      while (!this.#over) {
        await this.#decideSome(chance, 0.7)
        await setTimeout(50)
      }
    })()
    await Promise.all(Array.from({ length: clients }, (_, client) => this.#client(client)))
    this.#over = true
    await deciding
    for (const { resolve } of this.#watchers) resolve()
  }

  /** Resolves when so many messages have been accepted, or there are no more. */
  after(count: number): Promise<void> {
    if (this.#over || this.#accepted >= count) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#watchers.push({ count, resolve })
    return promise
  }

  /** Decides all that waits for a decision. */
  async decide(): Promise<void> {
    await this.#decideSome(random(this.#ops), 1)
  }

  /** What is still not answered. */
  get unanswered(): readonly string[] {
    return [...this.#asking]
  }

  /** A last message in each session. */
  async sayGoodbye(): Promise<void> {
    const { sessions, seed } = this.#options
    const left = Array.from({ length: sessions }, (_, index) => index)
    const chance = random(seed + 2)
    const next = async (): Promise<void> => {
      for (let index = left.pop(); index !== undefined; index = left.pop()) {
        await this.#send(chance, sessionOf(index).key, `bye-${index}`, [], "queue", "send")
      }
    }
    await Promise.all(Array.from({ length: 8 }, next))
  }

  async #client(client: number): Promise<void> {
    const { seed, messages, sessions } = this.#options
    const chance = random(seed + 1_000 * (client + 1))
    let before: { readonly session: string; readonly inputId: string } | undefined
    for (let n = 1; this.#sent < messages; n++) {
      this.#sent++
      // Half of what is said is said in a tenth of the sessions.
      const few = Math.max(1, Math.ceil(sessions / 10))
      const session = sessionOf(chance.below(chance.next() < 0.5 ? few : sessions)).key
      const inputId = `c${client}-${n}`
      const tools = Array.from(
        { length: chance.below(4) },
        () => WISHES[chance.below(WISHES.length)] ?? "keep",
      )
      const whenBusy = chance.next() < 0.3 ? "steer" : "queue"
      const accepted = await this.#send(
        chance,
        session,
        inputId,
        tools,
        whenBusy,
        chance.next() < 0.3 ? "ask" : "send",
      )
      const mood = chance.next()
      if (mood < 0.1) await this.#act(chance, { type: "stop", session })
      else if (mood < 0.2 && accepted) await this.#act(chance, { type: "cancel", session, inputId })
      else if (mood < 0.25 && before) await this.#act(chance, { type: "cancel", ...before })
      before = { session, inputId }
    }
  }

  /** Sends a message until it is accepted, or gives up where it may have been. @returns whether it was. */
  async #send(
    chance: Random,
    session: string,
    inputId: string,
    tools: readonly ToolName[],
    whenBusy: "queue" | "steer",
    how: "send" | "ask",
  ): Promise<boolean> {
    const message = { session, inputId, text: messageOf(inputId, tools), whenBusy }
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      const acted = this.#act(chance, { type: how, ...message })
      const end = how === "ask" ? await Promise.race([acted, setTimeout(ASKING_MS, "waits")]) : await acted
      if (end === "ok" || end === "waits") {
        this.#accepted++
        for (const { count, resolve } of this.#watchers) if (this.#accepted >= count) resolve()
        return end === "ok"
      }
      if (end === "unknown" && chance.next() < 0.2) return false
      if (performance.now() > until) {
        this.#options.problems.push(`${session}: the message ${inputId} is never accepted.`)
        return false
      }
      await setTimeout(20 + chance.next() * 30)
    }
  }

  async #decideSome(chance: Random, share: number): Promise<void> {
    const chosen = (await this.#pending(chance)).filter(() => chance.next() < share)
    await Promise.all(
      chosen.map(async ({ session, approvalId }) => {
        const decision = chance.next() < 0.7 ? "approve" : "deny"
        await this.#act(chance, { type: "decide", session, approvalId, decision })
      }),
    )
  }

  async #pending(chance: Random): Promise<readonly Pending[]> {
    const { fleet, processes } = this.#options
    const place = chance.below(processes)
    const command = { op: ++this.#ops, action: { type: "pending" } } as const
    const reply = await fleet.tell(place, await fleet.name(place), command)
    return reply.type === "ok" ? (reply.pending ?? []) : []
  }

  /** Asks a process for something, and writes down what it was told. */
  async #act(chance: Random, action: Action): Promise<"ok" | "fail" | "unknown"> {
    const { fleet, processes, write, problems } = this.#options
    const op = ++this.#ops
    const place = chance.below(processes)
    const process = await fleet.name(place)
    write({ type: "invoke", op, process, action })
    const reply = await this.#answered(action, fleet.tell(place, process, { op, action }))
    if (!reply || reply.type === "error") {
      const code = reply?.code ?? "silence"
      if (!reply) problems.push(`${action.session}: operation ${op}, ${action.type}, is never answered.`)
      const type = REFUSED.has(code) ? "fail" : "unknown"
      write({ type, op, code })
      return type
    }
    write({ type: "ok", op, ...found(reply) })
    return "ok"
  }

  /** What comes of it, or undefined where that takes too long. An answer may take as long as everything else. */
  async #answered(action: Action, reply: Promise<Outcome>): Promise<Outcome | undefined> {
    if (action.type === "ask") {
      const question = `${action.session}: ${action.inputId}`
      this.#asking.add(question)
      return await reply.finally(() => this.#asking.delete(question))
    }
    const enough = new AbortController()
    const silence = setTimeout(PATIENCE_MS, undefined, { signal: enough.signal }).catch(() => undefined)
    return await Promise.race([reply, silence]).finally(() => enough.abort())
  }
}

const found = ({ answer, done }: Reply & { readonly type: "ok" }) => ({
  ...(answer && { answer }),
  ...(done !== undefined && { done }),
})
