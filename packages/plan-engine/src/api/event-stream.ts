import { once } from "node:events"
import type { ServerResponse } from "node:http"
import type { Json } from "@orra/core"

/** One of a stream of server-sent events. */
export interface ServerEvent {
  /** What a client shows as `Last-Event-ID` to go on behind it. */
  readonly id?: string
  readonly event: string
  readonly data: Json
}

export interface StreamOptions {
  readonly heartbeatMs: number
  readonly signal: AbortSignal
  /** Whether what let the client in still does. */
  readonly mayListen: () => Promise<boolean>
  readonly close: () => void
}

export const EVENT_STREAM = "text/event-stream; charset=utf-8"

/**
 * Sends events as they come, until there are no more (WHATWG HTML, section 9.2). A client that does not read is waited for;
 * when nothing happens, a comment every `heartbeatMs` keeps what is in between from closing the connection. As often it is asked
 * whether the client may still listen; `close` has to end the events when it may not.
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<ServerEvent>,
  { heartbeatMs, signal, mayListen, close }: StreamOptions,
): Promise<void> {
  response.writeHead(200, {
    "content-type": EVENT_STREAM,
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  })
  response.write(": connected\n\n")
  const heart = setInterval(() => {
    if (!response.writableNeedDrain) response.write(": still here\n\n")
    // A store that does not answer now says nothing about the client.
    mayListen().then(
      (may) => may || close(),
      () => {},
    )
  }, heartbeatMs)
  try {
    for await (const { id, event, data } of events) {
      const place = id === undefined ? "" : `id: ${id}\n`
      if (!response.write(`${place}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
        await once(response, "drain", { signal })
      if (signal.aborted) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearInterval(heart)
    response.end()
  }
}
