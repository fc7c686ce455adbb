import type { RunEvent, Submission } from "./run.ts"

import type { Runtime } from "./runtime.ts"

/** What happens from a message on, until its run ends, waits, or goes on without its caller. */
export async function* followed(
  runtime: Pick<Runtime, "store" | "subscribe">,
  submit: () => Promise<Submission>,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<RunEvent, void> {
  const submission = await submit()
  const { namespace, inputId, cursor } = submission
  let { runId } = submission
  // Another answer to a message, or more of it, begins without a message of its own.
  let joined = runId !== undefined
  for await (const event of runtime.subscribe(namespace, { ...options, after: cursor })) {
    yield event
    if (event.type === "user" && event.inputId === inputId) joined = true
    else if (event.type === "input_cancelled" && event.inputId === inputId) return
    else if (event.type === "failure") return
    else if (event.type === "control" && event.action === "detach" && event.runId === runId) return
    else if (joined && event.type === "run_waiting" && event.runId === (runId ?? event.runId)) {
      // One that has gone on since is not the end of it.
      const info = await runtime.store.info(namespace)
      if (info?.openRun === event.runId && info.waiting) return
    }
    // A message that steered a run has no run_started of its own: the next end is that of its run.
    else if (joined && event.type === "run_started") runId ??= event.runId
    else if (joined && event.type === "run_finished" && event.runId === (runId ?? event.runId)) return
  }
}
