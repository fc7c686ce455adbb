import type { Json } from "@orra/core"
import type { OrchestrationRequest } from "../execution/orchestration.ts"
import type { Orchestrator } from "../execution/orchestrator.ts"
import { asApiError } from "./api-error.ts"
import type { ServerEvent } from "./event-stream.ts"
import { createdView } from "./plan-views.ts"

/**
 * Plans what is wanted and tells how it goes on: `created` with the id, `planning` again and again, at last `planned` with what a
 * client is answered otherwise, or `error` with the error it would be answered. A client that goes away leaves it as it is.
 */
export async function* watchPlanning(
  orchestrator: Pick<Orchestrator, "create">,
  projectId: string,
  request: OrchestrationRequest,
): AsyncGenerator<ServerEvent> {
  let waiting: ServerEvent[] = []
  let isEnded = false
  let wake = (): void => {}
  const tell = (event: string, data: Json): void => {
    const last = waiting.at(-1)
    // Of a model that writes quicker than the client reads, only how far it is.
    if (isWriting(data) && last && isWriting(last.data)) waiting.pop()
    waiting.push({ event, data })
    wake()
  }
  void orchestrator
    .create(projectId, request, (event) =>
      tell(event.type === "created" ? "created" : "planning", event as unknown as Json),
    )
    .then(
      (planned) => tell("planned", createdView(planned)),
      (error: unknown) => tell("error", errorView(error)),
    )
    .finally(() => {
      isEnded = true
      wake()
    })
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    const told = waiting
    waiting = []
    if (told.length === 0 && isEnded) return
    if (told.length === 0) await promise
    yield* told
  }
}

const isWriting = (data: Json): boolean =>
  typeof data === "object" && data !== null && "type" in data && data["type"] === "writing"

function errorView(error: unknown): Json {
  const known = asApiError(error)
  if (!known)
    return { kind: "internal error", message: "Something went wrong here: look at the engine's log." }
  const { kind, code, message } = known
  return { kind, message, ...(code !== undefined && { code }) }
}
