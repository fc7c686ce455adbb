import { readdirSync, readFileSync } from "node:fs"
import { MARK } from "./environment.ts"

/** A process as the kernel tells of it. */
interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly isZombie: boolean
  /** Memory that is really there, in pages. */
  readonly pages: number
}

/** A page has 4 KiB on nearly all systems; on others a limit of memory is that much larger. */
const PAGE_BYTES = 4_096

/**
 * The processes of one command. On Linux that is its process group, its session, their descendants, and whatever carries
 * its mark in the environment, so that those who leave the group (`setsid`, daemons) are found as well; those who also
 * clear their environment and outlive their parent are not. Elsewhere it is the process group.
 */
export class ProcessTree {
  readonly #leader: number
  readonly #mark: string
  /** Processes that were looked at and are somebody else's. */
  readonly #others: Set<number>

  /**
   * @param leader The first process, which leads its group.
   * @param mark The value of the variable {@link MARK} in its environment.
   * @param before Processes that were there before it.
   */
  constructor(leader: number, mark: string, before: ReadonlySet<number>) {
    this.#leader = leader
    this.#mark = `${MARK}=${mark}`
    this.#others = new Set(before)
  }

  /** Those that run, as far as the system tells. */
  members(): readonly { readonly pid: number; readonly bytes: number }[] {
    const unknown = [...processIds()].filter((pid) => !this.#others.has(pid)).map(factsOf)
    const found = new Map<number, ProcessFacts>()
    const rest = new Set(unknown.filter((facts) => facts !== undefined))
    for (let size = -1; size !== found.size; ) {
      size = found.size
      for (const facts of rest) {
        if (!this.#isMember(facts, found)) continue
        found.set(facts.pid, facts)
        rest.delete(facts)
      }
    }
    for (const { pid } of rest) this.#others.add(pid)
    return [...found.values()]
      .filter(({ isZombie }) => !isZombie)
      .map(({ pid, pages }) => ({ pid, bytes: pages * PAGE_BYTES }))
  }

  /**
   * Sends a signal to all of them; with `sparing`, not to the first one.
   *
   * @returns how many there were.
   */
  signal(signal: "SIGTERM" | "SIGKILL", sparing = false): number {
    const members = this.members()
    // Where the system does not tell who there is, the group is all that can be reached. Where it does, a number that
    // nobody has any more is left alone: it may be given to somebody else.
    if (!sparing && (members.length > 0 || this.#others.size === 0)) send(-this.#leader, signal)
    for (const { pid } of members) if (!sparing || pid !== this.#leader) send(pid, signal)
    return members.length
  }

  #isMember(facts: ProcessFacts, found: ReadonlyMap<number, ProcessFacts>): boolean {
    const { pid, parent, group, session } = facts
    return (
      group === this.#leader ||
      session === this.#leader ||
      pid === this.#leader ||
      found.has(parent) ||
      environmentOf(pid).includes(this.#mark)
    )
  }
}

/** All processes that this process may see; none where there is no `/proc`. */
export function processIds(): ReadonlySet<number> {
  try {
    return new Set(readdirSync("/proc").map(Number).filter(Number.isInteger))
  } catch {
    return new Set()
  }
}

/** Whether a process runs, or is still being taken apart: what is only remembered of a dead one does not count. */
export const isAlive = (pid: number): boolean => factsOf(pid)?.isZombie === false

function factsOf(pid: number): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name, in parentheses, may hold anything.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    const [state, parent, group, session] = fields
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      isZombie: state === "Z" || state === "X",
      pages: Number(fields[21]),
    }
  } catch {
    return undefined
  }
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0")
  } catch {
    return []
  }
}

function send(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone, which is what was wanted.
  }
}
