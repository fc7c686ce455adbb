import { setTimeout as pause } from "node:timers/promises"
import { EventSourceParserStream } from "eventsource-parser/stream"
import type { Cli } from "./cli.ts"
import { CliError } from "./errors.ts"

export interface StreamEvent {
  readonly event: string
  readonly data: unknown
}

const AGAIN_MS = 1_000

/** What asks for events. */
export const EVENTS = { accept: "text/event-stream" } as const

/** The events of one answer. */
export async function* eventsOf({
  body,
}: Response): AsyncGenerator<StreamEvent & { readonly id?: string | undefined }> {
  const parsed = body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { id, event = "message", data } of parsed ?? [])
    yield { id, event, data: JSON.parse(data) }
}

/**
 * Events of the engine as they come, until the caller has enough or Ctrl-C, and `open` for each connection that is made. When
 * it is lost, it is made again, and what came in between is not missed.
 *
 * @throws CliError when it cannot be made at first, or is refused.
 */
export async function* events(
  cli: Cli,
  path: string,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<StreamEvent> {
  const { signal } = cli.around
  const api = cli.api()
  let lastId: string | undefined
  let isConnected = false
  for (;;) {
    try {
      const headers = {
        ...EVENTS,
        ...(lastId !== undefined && { "last-event-id": lastId }),
      }
      const response = await api.open("GET", path, { headers, query })
      isConnected = true
      yield { event: "open", data: undefined }
      for await (const { id, ...event } of eventsOf(response)) {
        lastId = id ?? lastId
        yield event
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!isConnected || (error instanceof CliError && error.code !== "engine_unreachable")) throw error
    }
    await pause(AGAIN_MS, undefined, { signal })
  }
}
