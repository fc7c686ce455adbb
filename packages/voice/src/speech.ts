import type { AudioFormat, SpeechFormat } from "./audio.ts"

export interface TranscribeOptions {
  /** ISO 639-1, such as "de". Default: whatever is heard. */
  readonly language?: string
  /** Names and words that may be said, or what was said before. */
  readonly prompt?: string
  /** Also when each word was said. Not every model can. Default false. */
  readonly wordTimestamps?: boolean
  /** Default: what the bytes begin like. */
  readonly format?: AudioFormat
  readonly signal?: AbortSignal
}

/** A word, from when to when it is said, in seconds. */
export interface TimedWord {
  readonly word: string
  readonly startSecs: number
  readonly endSecs: number
}

export interface Transcript {
  readonly text: string
  /** As the service calls it. */
  readonly language?: string
  /** How sure the model is, 0 to 1, where it says so. */
  readonly confidence?: number
  readonly durationSecs?: number
  /** Empty unless asked for. */
  readonly words: readonly TimedWord[]
  /** In USD, where prices are known. */
  readonly costUsd?: number
}

export type TranscriptEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "done"; readonly transcript: Transcript }

/** Writes down what is said. Methods throw VoiceError and ProviderError. */
export interface SpeechToText {
  readonly id: string
  readonly model: string
  transcribe(audio: Uint8Array, options?: TranscribeOptions): Promise<Transcript>
  /** The same piece by piece; `done` comes last. */
  stream(audio: Uint8Array, options?: TranscribeOptions): AsyncIterable<TranscriptEvent>
}

export interface SynthesizeOptions {
  /** One of `voices`. Default "alloy". */
  readonly voice?: string
  /** 0.25 to 4, default 1. */
  readonly speed?: number
  /** Default "mp3". */
  readonly format?: SpeechFormat
  /** How it is to be said, where the model takes that. */
  readonly instructions?: string
  readonly signal?: AbortSignal
}

export interface Speech {
  readonly data: Uint8Array
  readonly format: SpeechFormat
  /** In Hz: as the audio says, or as services usually make it where it does not. */
  readonly sampleRate: number
  /** In USD, where prices are known. */
  readonly costUsd?: number
}

export type SpeechEvent =
  | { readonly type: "audio"; readonly data: Uint8Array }
  | { readonly type: "done"; readonly bytes: number; readonly costUsd?: number }

/** Says what is written. Methods throw VoiceError and ProviderError. */
export interface TextToSpeech {
  readonly id: string
  readonly model: string
  readonly voices: readonly string[]
  synthesize(text: string, options?: SynthesizeOptions): Promise<Speech>
  /** The same piece by piece, as soon as there is something to hear; `done` comes last. */
  stream(text: string, options?: SynthesizeOptions): AsyncIterable<SpeechEvent>
}
