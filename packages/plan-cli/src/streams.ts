import { setTimeout as pause } from "node:timers/promises"
import { EventSourceParserStream } from "eventsource-parser/stream"
import type { ApiRequest } from "./api.ts"
import type { Cli } from "./cli.ts"
import { CliError } from "./errors.ts"

export interface StreamEvent {
  readonly event: string
  readonly data: unknown
}

const AGAIN_MS = 1_000

/**
 * Events of the engine as they come, until the caller has enough or Ctrl-C, and `open` for each connection that is made. When
 * it is lost, it is made again, and what came in between is not missed.
 *
 * @throws CliError when it cannot be made at first, or is refused.
 */
export async function* events(
  cli: Cli,
  path: string,
  query: ApiRequest["query"] = {},
): AsyncGenerator<StreamEvent> {
  const { signal } = cli.around
  const api = cli.api()
  let lastId: string | undefined
  let isConnected = false
  for (;;) {
    try {
      const headers = {
        accept: "text/event-stream",
        ...(lastId !== undefined && { "last-event-id": lastId }),
      }
      const { body } = await api.open(path, headers, query)
      isConnected = true
      yield { event: "open", data: undefined }
      const parsed = body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
      for await (const { id, event = "message", data } of parsed ?? []) {
        lastId = id ?? lastId
        yield { event, data: JSON.parse(data) }
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isConnected || (error instanceof CliError && error.code !== "engine_unreachable")) throw error
    }
    await pause(AGAIN_MS, undefined, { signal })
  }
}
