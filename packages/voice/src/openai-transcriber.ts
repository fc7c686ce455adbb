import { InvalidInput } from "@orra/core"
import { type OpenAIServiceOptions, openaiService, type ServiceCall } from "@orra/openai"
import type {
  TranscriptionCreateResponse,
  TranscriptionStreamEvent,
} from "openai/resources/audio/transcriptions"
import { type AudioFormat, beginsLike } from "./audio.ts"
import { VoiceError } from "./errors.ts"
import type { SpeechToText, TimedWord, TranscribeOptions, Transcript, TranscriptEvent } from "./speech.ts"

/** USD for a minute of audio, or for a million tokens. */
export type TranscriptionPrice =
  | { readonly minute: number }
  | { readonly audioInput: number; readonly textInput: number; readonly output: number }

export interface OpenAITranscriberOptions extends OpenAIServiceOptions {
  /** Default "gpt-transcribe". Times of words come from "whisper-1", which OpenAI ends on 2027-02-26. */
  readonly model?: string
  /** The largest audio that is sent, in bytes. Default 25,000,000, which is what OpenAI takes. */
  readonly maxBytes?: number
  /** What the model costs. Default: what is known of OpenAI's, as of 2026-11. */
  readonly price?: TranscriptionPrice
}

const PRICES: Readonly<Record<string, TranscriptionPrice>> = {
  "gpt-transcribe": { minute: 0.0045 },
  // OpenAI ends these on 2027-02-26.
  "whisper-1": { minute: 0.006 },
  "gpt-4o-transcribe": { audioInput: 6, textInput: 2.5, output: 10 },
  "gpt-4o-mini-transcribe": { audioInput: 3, textInput: 1.25, output: 5 },
}

/** What the model is and whether it can say how sure it is. */
const KNOWS_LOGPROBS = /^gpt-4o-(mini-)?transcribe(-\d|$)/

/**
 * Speech to text by OpenAI's models, and by servers that speak `/v1/audio/transcriptions`, such as those with Whisper.
 *
 * ```ts
 * const ears = openaiTranscriber({ model: "whisper-1" })
 * const { text, words } = await ears.transcribe(bytes, { wordTimestamps: true })
 * ```
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function openaiTranscriber(options: OpenAITranscriberOptions = {}): SpeechToText {
  const { model = "gpt-transcribe", maxBytes = 25_000_000, price = PRICES[model] } = options
  const service = openaiService(options)
  const isWhisper = model.startsWith("whisper") || !service.official

  const paramsOf = (audio: Uint8Array, { format, language, prompt, wordTimestamps }: TranscribeOptions) => {
    if (wordTimestamps && !isWhisper) {
      throw new VoiceError(
        "voice_unsupported",
        `${model} does not tell when words are said: use whisper-1 for that.`,
      )
    }
    return {
      file: fileOf(audio, format, maxBytes),
      model,
      ...(language !== undefined && { language: languageOf(language) }),
      ...(prompt !== undefined && { prompt }),
    }
  }

  const transcribe = async (audio: Uint8Array, options: TranscribeOptions = {}): Promise<Transcript> => {
    const params = paramsOf(audio, options)
    const { wordTimestamps = false, signal } = options
    const timed = {
      ...params,
      response_format: "verbose_json" as const,
      timestamp_granularities: ["word" as const],
    }
    const sure = KNOWS_LOGPROBS.test(model) ? { include: ["logprobs" as const] } : {}
    const plain = { ...params, response_format: "json" as const, ...sure }
    const answer = await service.call(
      model,
      signal,
      ({ sdk, signal }): Promise<TranscriptionCreateResponse> => {
        return wordTimestamps
          ? sdk.audio.transcriptions.create(timed, { signal })
          : sdk.audio.transcriptions.create(plain, { signal })
      },
    )
    const transcript = transcriptOf(answer, price)
    if (wordTimestamps && transcript.words.length === 0 && transcript.text !== "") {
      throw new VoiceError("voice_unsupported", `${model} does not tell when words are said here.`)
    }
    return transcript
  }

  async function* pieces(
    { sdk, signal }: ServiceCall,
    params: ReturnType<typeof paramsOf>,
  ): AsyncGenerator<TranscriptEvent> {
    const events = await sdk.audio.transcriptions.create(
      { ...params, response_format: "json", stream: true },
      { signal },
    )
    let done: Extract<TranscriptionStreamEvent, { type: "transcript.text.done" }> | undefined
    for await (const event of events) {
      if (event.type === "transcript.text.delta") yield { type: "text", text: String(event.delta) }
      else if (event.type === "transcript.text.done") done = event
    }
    if (!done) throw noText()
    yield { type: "done", transcript: transcriptOf(done, price) }
  }

  return {
    id: service.id,
    model,
    transcribe,
    async *stream(audio, options = {}) {
      // Whisper has its answer only when all is heard; so has whoever times words.
      if (isWhisper || options.wordTimestamps) {
        const transcript = await transcribe(audio, options)
        yield { type: "text", text: transcript.text }
        yield { type: "done", transcript }
        return
      }
      const params = paramsOf(audio, options)
      yield* service.stream(model, options.signal, (call) => pieces(call, params))
    },
  }
}

const TYPES: Readonly<Record<AudioFormat, string>> = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  flac: "audio/flac",
  ogg: "audio/ogg",
  webm: "audio/webm",
  mp4: "audio/mp4",
}

/** Services go by the name's ending. */
function fileOf(audio: Uint8Array, format: AudioFormat | undefined, maxBytes: number): File {
  if (audio.length === 0) throw new VoiceError("voice_audio_invalid", "The audio is empty.")
  if (audio.length > maxBytes) {
    const details = { bytes: audio.length, maxBytes }
    throw new VoiceError(
      "voice_audio_too_large",
      `The audio has ${audio.length} bytes, of at most ${maxBytes}: send less at a time.`,
      details,
    )
  }
  const found = beginsLike(audio)
  if (found === undefined || found === "aac" || (format !== undefined && format !== found)) {
    const formats = Object.keys(TYPES).join(", ")
    throw new VoiceError(
      "voice_audio_invalid",
      `The audio is ${found === undefined ? "of no known format" : `${found}`}${format === undefined ? "" : ` and not ${format}`}: send it as one of ${formats}.`,
      { ...(found !== undefined && { found }), ...(format !== undefined && { format }) },
    )
  }
  return new File([new Uint8Array(audio)], `audio.${found}`, { type: TYPES[found] })
}

function languageOf(language: string): string {
  if (/^[a-z]{2,3}$/.test(language)) return language
  throw new InvalidInput('A language is two or three letters (ISO 639), such as "de".')
}

type Answer =
  | TranscriptionCreateResponse
  | Extract<TranscriptionStreamEvent, { type: "transcript.text.done" }>

function transcriptOf(answer: Answer, price: TranscriptionPrice | undefined): Transcript {
  if (typeof answer !== "object" || answer === null || typeof answer.text !== "string") throw noText()
  const duration = "duration" in answer ? Number(answer.duration) : secondsOf(answer)
  const language = "language" in answer && typeof answer.language === "string" ? answer.language : undefined
  const confidence = confidenceOf(answer)
  const costUsd = costOf(answer, duration, price)
  return {
    text: answer.text,
    words: "words" in answer ? (answer.words ?? []).map(timed) : [],
    ...(language !== undefined && { language }),
    ...(duration !== undefined && Number.isFinite(duration) && { durationSecs: duration }),
    ...(confidence !== undefined && { confidence }),
    ...(costUsd !== undefined && { costUsd }),
  }
}

const timed = ({ word, start, end }: { word: string; start: number; end: number }): TimedWord => ({
  word,
  startSecs: start,
  endSecs: end,
})

function secondsOf({ usage }: Answer): number | undefined {
  return usage && "seconds" in usage ? usage.seconds : undefined
}

/** The mean over what the model wrote. */
function confidenceOf(answer: Answer): number | undefined {
  const logs =
    "segments" in answer && Array.isArray(answer.segments)
      ? answer.segments.flatMap((segment) => ("avg_logprob" in segment ? [segment.avg_logprob] : []))
      : "logprobs" in answer
        ? (answer.logprobs ?? []).flatMap(({ logprob }) => logprob ?? [])
        : []
  if (logs.length === 0) return undefined
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  return Number.isFinite(mean) ? Math.min(1, Math.exp(mean)) : undefined
}

/** Undefined when the service does not count as the price does. */
function costOf(
  answer: Answer,
  seconds: number | undefined,
  price: TranscriptionPrice | undefined,
): number | undefined {
  if (!price) return undefined
  if ("minute" in price) return seconds === undefined ? undefined : (seconds / 60) * price.minute
  const { usage } = answer
  if (!usage || !("input_tokens" in usage)) return undefined
  const details = "input_token_details" in usage ? usage.input_token_details : undefined
  const text = details?.text_tokens ?? 0
  return (
    ((usage.input_tokens - text) * price.audioInput +
      text * price.textInput +
      usage.output_tokens * price.output) /
    1e6
  )
}

const noText = (): VoiceError =>
  new VoiceError(
    "voice_answer_invalid",
    "The service answered with no text: try again, or check that this model writes down speech.",
  )
