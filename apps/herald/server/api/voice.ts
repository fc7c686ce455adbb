import { InvalidInput, OrraError } from "@orra/core"
import { type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import type { SpeechToText, TextToSpeech } from "@orra/voice"
import type { Spend } from "../outlay.ts"

/** Ten minutes of what browsers record, in base64. */
const LISTEN_BYTES = 14 * 1_048_576
const MAX_TEXT = 4_096
/** What a recording or a text of that size can cost at most, in USD. */
const AT_MOST = 0.15

export interface Voice {
  readonly ears: SpeechToText
  readonly mouth: TextToSpeech
  readonly voice: string
  /** Whether the service is the person's own: then what has no price costs nothing. */
  readonly isOwn: boolean
}

/** Dictation and reading aloud; documented in docs/herald/api.md. Without `voice` they are off, and say so. */
export function voiceRoutes(voice: Voice | undefined, spend: Spend): readonly Route[] {
  const state: Route = {
    method: "GET",
    path: "/api/voice",
    permission: "chat",
    handle: () => Response.json({ enabled: voice !== undefined }),
  }
  if (!voice) return [state]
  const { ears, mouth } = voice
  const limits = { atMost: AT_MOST, unknown: voice.isOwn ? 0 : AT_MOST }
  const route = (
    path: string,
    maxBytes: number,
    work: (request: GatewayRequest) => Promise<Response>,
  ): Route => ({
    method: "POST",
    path,
    permission: "chat",
    maxBytes,
    handle: async (request) => {
      try {
        return await work(request)
      } catch (error) {
        throw withStatus(error)
      }
    },
  })
  return [
    state,
    route("/api/voice/listen", LISTEN_BYTES, async ({ principal: { namespace }, body, signal }) => {
      const { data, language } = await body()
      if (typeof data !== "string" || !/^[A-Za-z0-9+/]+={0,2}$/.test(data))
        throw new InvalidInput('"data" must be the recording in base64.')
      if (language !== undefined && typeof language !== "string")
        throw new InvalidInput('"language" must be text, such as "de".')
      const options = { signal, ...(language !== undefined && { language }) }
      const { text } = await spend(namespace, limits, () =>
        ears.transcribe(Buffer.from(data, "base64"), options),
      )
      return Response.json({ text })
    }),
    route("/api/voice/speak", 64 * 1_024, async ({ principal: { namespace }, body, signal }) => {
      const { text } = await body()
      if (typeof text !== "string" || text.trim() === "" || text.length > MAX_TEXT)
        throw new InvalidInput(`"text" must have 1 to ${MAX_TEXT} characters.`)
      const speech = await spend(namespace, limits, () =>
        mouth.synthesize(text, { voice: voice.voice, format: "mp3", signal }),
      )
      return new Response(new Uint8Array(speech.data), { headers: { "content-type": "audio/mpeg" } })
    }),
  ]
}

const STATUS: Readonly<Record<string, number>> = {
  voice_audio_invalid: 400,
  voice_audio_too_large: 413,
  voice_text_too_long: 413,
  voice_unsupported: 400,
  voice_answer_invalid: 502,
  budget_exceeded: 402,
}

function withStatus(error: unknown): unknown {
  const status = error instanceof OrraError ? STATUS[error.code] : undefined
  return error instanceof OrraError && status !== undefined
    ? new HttpError(status, error.code, error.message)
    : error
}
