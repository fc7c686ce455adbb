import type { Namespace } from "./namespace.ts"
import type { RunResult } from "./run.ts"
import type { SessionLog } from "./session-log.ts"
import type { Stop } from "./stop.ts"

/** A session that is being run. */
export interface Active {
  readonly namespace: Namespace
  readonly log: SessionLog
  /** Ends the present run. */
  stop: Stop
  /** The present run, once it has begun. */
  runId: string | undefined
  /** The end of the present run. It rejects where that could not be recorded. */
  ended: Promise<unknown>
  /** Lets the present run go on without its caller. */
  detach: () => void
  /** Set to leave what waits in the queue for later. */
  paused: boolean
  /** Messages that were sent to it here. */
  readonly sent: Set<string>
  /** Settles when the session is free again. Never rejects. */
  idle: Promise<void>
}

/** A run that has begun: its first entries are durable. */
export interface Begun {
  readonly runId: string
  /** The number of the last entry before it. */
  readonly cursor: number
  /** How it ended, for its caller: also that it goes on without them. */
  readonly result: Promise<RunResult>
}
