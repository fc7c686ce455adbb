import { isEntry, type RunEvent } from "@orra/core"

const HEARTBEAT_MS = 15_000
const encoder = new TextEncoder()

/**
 * Events as a server-sent stream (WHATWG HTML, section 9.2): `id` is the cursor, `event` the type, `data` the JSON.
 * The client reads at its own pace; while it does not, nothing is buffered here. Its leaving ends the watching and
 * nothing else.
 */
export function eventStream(events: AsyncIterable<RunEvent>, onLeave: () => void): Response {
  const iterator = events[Symbol.asyncIterator]()
  let heartbeat: ReturnType<typeof setInterval> | undefined
  const end = () => {
    clearInterval(heartbeat)
    onLeave()
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(": connected\n\n"))
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(": still here\n\n"))
      }, HEARTBEAT_MS)
    },
    async pull(controller) {
      try {
        const { done, value } = await iterator.next()
        if (!done) return controller.enqueue(encoder.encode(frame(value)))
        end()
        controller.close()
      } catch (error) {
        end()
        controller.error(error)
      }
    },
    cancel: end,
  })
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    },
  })
}

function frame(event: RunEvent): string {
  const id = isEntry(event) ? `id: ${event.seq}\n` : ""
  return `${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
