import { type Hooks, isDelegated, type Namespace } from "@orra/core"
import { isScheduled } from "@orra/cron"

/** Knows in which sessions people are answered now, so that jobs can wait for a quiet moment. */
export class Chatting {
  readonly hooks: Hooks
  /** By run. */
  readonly #running = new Map<string, Namespace>()
  readonly #waiting = new Set<() => void>()

  constructor() {
    const over = ({ runId }: { readonly runId: string }): void => {
      if (this.#running.delete(runId)) for (const look of [...this.#waiting]) look()
    }
    this.hooks = {
      name: "chatting",
      runStart: ({ namespace, runId }) => {
        if (!isScheduled(namespace) && !isDelegated(namespace)) this.#running.set(runId, namespace)
      },
      // Who waits for a decision may be away for hours.
      runWait: over,
      runEnd: (_, context) => over(context),
    }
  }

  /** Resolves when nobody is answered in the sessions of `below` any more, after `ms`, or when the signal fires. */
  async quiet(below: Namespace, ms: number, signal: AbortSignal): Promise<void> {
    const isQuiet = (): boolean => ![...this.#running.values()].some((session) => below.contains(session))
    if (isQuiet() || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = (): void => {
      if (isQuiet()) resolve()
    }
    const timer = setTimeout(resolve, ms)
    const onAbort = (): void => resolve()
    signal.addEventListener("abort", onAbort, { once: true })
    this.#waiting.add(look)
    await promise
    this.#waiting.delete(look)
    signal.removeEventListener("abort", onAbort)
    clearTimeout(timer)
  }
}
