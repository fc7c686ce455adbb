import type { Hooks } from "@orra/core"

/** Knows which runs are going on, so that a shutdown can give them a moment. */
export interface RunCounter {
  readonly hooks: Hooks
  /** Resolves when no run is left, or after `ms`. */
  idle(ms: number): Promise<void>
}

export function runCounter(): RunCounter {
  const running = new Set<string>()
  const waiting = new Set<() => void>()
  return {
    hooks: {
      name: "shutdown",
      runStart({ runId }) {
        running.add(runId)
      },
      runEnd({ runId }) {
        running.delete(runId)
        if (running.size === 0) for (const resolve of waiting) resolve()
      },
    },
    async idle(ms) {
      if (running.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
      waiting.delete(resolve)
    },
  }
}
