import { type Child, startChild } from "../process.ts"
import type { Command, Reply } from "./serve.ts"

/** What came of a command: `code` "dead" where the process died before it answered. */
export type Outcome = Reply | { readonly op: number; readonly type: "error"; readonly code: "dead" }

interface Member {
  readonly name: string
  readonly child: Child
  readonly ready: Promise<void>
  readonly waiting: Map<number, (outcome: Outcome) => void>
  killed: boolean
}

/** Processes that are killed and started again, so that there is always the same number of them. */
export class Fleet {
  readonly #start: (name: string, hear: (reply: Reply) => void) => Child
  readonly #members: Promise<Member>[]
  readonly #problems: string[]
  #started = 0
  #closing = false

  /** `args` gives what a process of that name is started with; what it should not do is added to `problems`. */
  constructor(module: URL, args: (name: string) => readonly string[], size: number, problems: string[]) {
    this.#start = (name, hear) => startChild<Reply>(module, args(name), hear)
    this.#problems = problems
    this.#members = Array.from({ length: size }, (_, place) => this.#begin(place))
  }

  /** The name of the process that has the place now. */
  async name(place: number): Promise<string> {
    return (await this.#at(place)).name
  }

  /** Tells the process of that name something, and waits for its answer. */
  async tell(place: number, name: string, command: Command): Promise<Outcome> {
    const { op } = command
    const member = await this.#at(place)
    if (member.name !== name || member.killed) return { op, type: "error", code: "dead" }
    const answer = Promise.withResolvers<Outcome>()
    member.waiting.set(op, answer.resolve)
    member.child.tell(command)
    return await answer.promise
  }

  /** Kills a process, and starts another in its place. @returns its name. */
  async kill(place: number): Promise<string> {
    const member = await this.#at(place)
    this.#members[place] = this.#begin(place)
    member.killed = true
    member.child.kill("SIGKILL")
    return member.name
  }

  /** Holds a process for a while: its clock, its leases and its connections go on without it. @returns its name. */
  async hold(place: number, until: () => Promise<void>): Promise<string> {
    const { name, child } = await this.#at(place)
    child.kill("SIGSTOP")
    await until()
    child.kill("SIGCONT")
    return name
  }

  /** Lets all of them end by themselves. */
  async close(): Promise<void> {
    this.#closing = true
    for (const member of await Promise.all(this.#members)) {
      member.child.tell({ op: -1, action: { type: "close" } } satisfies Command)
      const { code, signal, complaint } = await member.child.ended
      if (code !== 0) this.#problems.push(`${member.name} ended with ${code ?? signal}: ${complaint}`)
    }
  }

  /** Kills all of them. */
  async end(): Promise<void> {
    this.#closing = true
    for (const member of this.#members) (await member).child.kill("SIGKILL")
  }

  async #at(place: number): Promise<Member> {
    const member = this.#members[place % this.#members.length]
    if (!member) throw new Error("A fleet has at least one process.")
    return await member
  }

  async #begin(place: number): Promise<Member> {
    const name = `p${place}.${++this.#started}`
    const ready = Promise.withResolvers<void>()
    const waiting: Member["waiting"] = new Map()
    const child = this.#start(name, (reply) => {
      if (reply.op === 0) ready.resolve()
      waiting.get(reply.op)?.(reply)
      waiting.delete(reply.op)
    })
    const member: Member = { name, child, ready: ready.promise, waiting, killed: false }
    child.ended.then(({ code, signal, complaint }) => {
      if (!member.killed && !this.#closing) {
        member.killed = true
        this.#problems.push(`${name} ended by itself with ${code ?? signal}: ${complaint}`)
        this.#members[place] = this.#begin(place)
      }
      ready.resolve()
      for (const [op, resolve] of waiting) resolve({ op, type: "error", code: "dead" })
      waiting.clear()
    })
    await ready.promise
    return member
  }
}
