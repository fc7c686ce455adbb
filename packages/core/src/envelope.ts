import type { PolicyLayer } from "./policy.ts"

/**
 * On whose behalf a run works, when it is not a person's: another agent delegated to it, a schedule or a peer started
 * it. It is recorded with the run, so it holds after a restart as well. A person's run has none.
 */
export interface Envelope {
  /** Who delegated, outermost first. */
  readonly agents: readonly string[]
  /** How many delegations lie between a person and this run: 1 or more. */
  readonly depth: number
  /** When the run is stopped (`deadline_exceeded`), in ms since 1970. */
  readonly deadline?: number
  /** What it may do at most, as layers of policy, when it was started: what those above may later does not widen it. */
  readonly bounds?: readonly PolicyLayer[]
  /** A helper without a name, which its caller made for the task. */
  readonly helper?: true
  /** Whoever wrote the task had read what strangers wrote: it may be theirs. */
  readonly tainted?: true
  /** The call that waits for this run. */
  readonly parent?: {
    /** The key of its session's namespace. */
    readonly namespace: string
    readonly runId: string
    readonly callId: string
  }
}
