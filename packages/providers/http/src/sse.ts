import { createParser, type EventSourceMessage } from "eventsource-parser"
import type { Watchdog } from "./watchdog.ts"

/** One event may be this long, in characters: a tool call that writes a file comes in many events, not one. */
const MAX_EVENT = 32 * 1_024 * 1_024

/**
 * The server-sent events of a response, those of each network chunk together: going through a generator once per
 * event would cost more than reading them. Takes CRLF, characters split between chunks, and comments.
 */
export async function* eventBatches(
  body: AsyncIterable<Uint8Array>,
  watch: Watchdog,
): AsyncGenerator<readonly EventSourceMessage[], void, undefined> {
  let batch: EventSourceMessage[] = []
  const parser = createParser({
    maxBufferSize: MAX_EVENT,
    onEvent: (event) => {
      batch.push(event)
    },
  })
  const decoder = new TextDecoder()
  const take = () => {
    const events = batch
    batch = []
    return events
  }
  for await (const bytes of body) {
    watch.touch()
    parser.feed(decoder.decode(bytes, { stream: true }))
    if (batch.length === 0) continue
    watch.hold()
    yield take()
    watch.resume()
  }
}
