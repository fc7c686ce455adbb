import { InvalidInput, isObject, type Json, parseJson } from "@orra/core"
import { type OpenAIServiceOptions, openaiService, type ServiceCall } from "@orra/openai"
import { eventBatches } from "@orra/provider-http"
import { isSpeech, type SpeechFormat, sampleRateOf } from "./audio.ts"
import { VoiceError } from "./errors.ts"
import type { SpeechEvent, SynthesizeOptions, TextToSpeech } from "./speech.ts"

/** USD for a million characters, or for a million tokens of text and audio. */
export type SpeechPrice =
  | { readonly characters: number }
  | { readonly input: number; readonly output: number }

export interface OpenAISpeakerOptions extends OpenAIServiceOptions {
  /** Default "gpt-4o-mini-tts". OpenAI ends its models for this on 2027-01-06; other servers (`baseURL`) go on. */
  readonly model?: string
  /** The voices there are. Default OpenAI's. */
  readonly voices?: readonly string[]
  /** The longest text, in characters. Default 4,096, which is what OpenAI takes. */
  readonly maxCharacters?: number
  /** The most audio that is taken, in bytes. Default 50,000,000. */
  readonly maxBytes?: number
  /** What the model costs. Default: what is known of OpenAI's, as of 2026-11. */
  readonly price?: SpeechPrice
}

const VOICES = [
  "alloy",
  "ash",
  "ballad",
  "coral",
  "echo",
  "fable",
  "onyx",
  "nova",
  "sage",
  "shimmer",
  "verse",
  "marin",
  "cedar",
]
const FORMATS: ReadonlySet<string> = new Set<SpeechFormat>(["mp3", "opus", "aac", "flac", "wav", "pcm"])
const PRICES: Readonly<Record<string, SpeechPrice>> = {
  "tts-1": { characters: 15 },
  "tts-1-hd": { characters: 30 },
  "gpt-4o-mini-tts": { input: 0.6, output: 12 },
}

type Piece = { readonly data: Uint8Array } | { readonly usage: Json | undefined }

/**
 * Text to speech by OpenAI's models, and by servers that speak `/v1/audio/speech`.
 *
 * ```ts
 * const mouth = openaiSpeaker()
 * for await (const event of mouth.stream("Good morning!")) if (event.type === "audio") play(event.data)
 * ```
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function openaiSpeaker(options: OpenAISpeakerOptions = {}): TextToSpeech {
  const { model = "gpt-4o-mini-tts", voices = VOICES, maxCharacters = 4_096, maxBytes = 50_000_000 } = options
  const { price = PRICES[model] } = options
  const service = openaiService(options)
  // Only so does OpenAI say what it has counted; other servers and older models know bytes only.
  const isCounted = service.official && !model.startsWith("tts-1")

  const paramsOf = (
    text: string,
    { voice = voices[0] ?? "alloy", speed = 1, format = "mp3", instructions }: SynthesizeOptions,
  ) => {
    if (text.trim() === "") throw new InvalidInput("There is nothing to say.")
    if ([...text].length > maxCharacters) {
      throw new VoiceError(
        "voice_text_too_long",
        `At most ${maxCharacters} characters can be said at once: say it in parts.`,
        { maxCharacters },
      )
    }
    if (!(speed >= 0.25 && speed <= 4)) throw new InvalidInput("A speed is from 0.25 to 4.")
    if (!FORMATS.has(format)) throw new InvalidInput(`A format is one of ${[...FORMATS].join(", ")}.`)
    if (!voices.includes(voice))
      throw new InvalidInput(`There is no such voice: use one of ${voices.join(", ")}.`)
    return {
      model,
      input: text,
      voice,
      response_format: format,
      ...(speed !== 1 && { speed }),
      ...(instructions !== undefined && { instructions }),
      ...(isCounted && { stream_format: "sse" as const }),
    }
  }

  async function* stream(text: string, options: SynthesizeOptions = {}): AsyncGenerator<SpeechEvent, void> {
    const params = paramsOf(text, options)
    let bytes = 0
    let usage: Json | undefined
    for await (const piece of service.stream(model, options.signal, (call) => audioOf(call, params))) {
      if ("usage" in piece) {
        usage = piece.usage
        continue
      }
      const { data } = piece
      if (data.length === 0) continue
      if (bytes === 0 && !isSpeech(params.response_format, data)) throw noAudio(params.response_format)
      bytes += data.length
      if (bytes > maxBytes)
        throw new VoiceError(
          "voice_answer_invalid",
          "The service sends more audio than it may: say less at a time.",
          { maxBytes },
        )
      yield { type: "audio", data }
    }
    if (bytes === 0) throw noAudio(params.response_format)
    const costUsd = costOf(price, text, usage)
    yield { type: "done", bytes, ...(costUsd !== undefined && { costUsd }) }
  }

  return {
    id: service.id,
    model,
    voices,
    stream,
    async synthesize(text, options = {}) {
      const { format = "mp3" } = options
      const pieces: Uint8Array[] = []
      let cost: { readonly costUsd?: number } = {}
      for await (const event of stream(text, options)) {
        if (event.type === "audio") pieces.push(event.data)
        else cost = event.costUsd === undefined ? {} : { costUsd: event.costUsd }
      }
      const data = Buffer.concat(pieces)
      return { data, format, sampleRate: sampleRateOf(format, data), ...cost }
    },
  }
}

type Params = Parameters<ServiceCall["sdk"]["audio"]["speech"]["create"]>[0]

/** The audio as it comes: bytes, or events that hold them. */
async function* audioOf({ sdk, signal, watch }: ServiceCall, params: Params): AsyncGenerator<Piece> {
  const { body, headers } = await sdk.audio.speech.create(params, { signal })
  const type = headers.get("content-type") ?? ""
  if (!body || /json|html/.test(type)) throw noAudio(String(params.response_format))
  if (!type.includes("event-stream")) {
    for await (const data of body) yield { data }
    return
  }
  for await (const batch of eventBatches(body, watch)) {
    for (const { data } of batch) yield* pieceOf(data)
  }
}

function* pieceOf(text: string): Generator<Piece> {
  const event = parseJson(text)
  if (!isObject(event)) return
  const { type, audio, usage } = event as { readonly [name: string]: Json | undefined }
  if (type === "speech.audio.delta") yield { data: Buffer.from(String(audio), "base64") }
  else if (type === "speech.audio.done") yield { usage }
}

/** Undefined when the service does not count as the price does. */
function costOf(price: SpeechPrice | undefined, text: string, usage: Json | undefined): number | undefined {
  if (!price) return undefined
  if ("characters" in price) return ([...text].length * price.characters) / 1e6
  const { input_tokens: input, output_tokens: output } = isObject(usage) ? usage : {}
  const usd = (Number(input) * price.input + Number(output) * price.output) / 1e6
  return Number.isFinite(usd) ? usd : undefined
}

const noAudio = (format: string): VoiceError =>
  new VoiceError(
    "voice_answer_invalid",
    `The service answered with no ${format}: try again, or another format.`,
    { format },
  )
