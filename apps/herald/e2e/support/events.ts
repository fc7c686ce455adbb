import type { RunEvent } from "@orra/core"

/** The events of a server-sent stream, parsed. Ends with the stream; throws when it breaks. */
export async function* readEvents(response: Response): AsyncGenerator<RunEvent, void> {
  if (!response.ok || !response.body) throw new Error(`No stream: HTTP ${response.status}`)
  let rest = ""
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + chunk).split("\n\n")
    rest = frames.pop() ?? ""
    for (const frame of frames) {
      const data = frame
        .split("\n")
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).trimStart())
        .join("\n")
      if (data !== "") yield JSON.parse(data) as RunEvent
    }
  }
}
