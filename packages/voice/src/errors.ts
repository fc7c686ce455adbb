import { OrraError } from "@orra/core"

/**
 * - `voice_audio_invalid`: what shall be written down is no audio, or of a format that services do not take.
 * - `voice_audio_too_large`: it has more bytes than it may have.
 * - `voice_text_too_long`: what shall be said is longer than the service takes.
 * - `voice_unsupported`: this model cannot do that.
 * - `voice_answer_invalid`: what the service answered is no audio, or no text.
 */
export type VoiceErrorCode =
  | "voice_audio_invalid"
  | "voice_audio_too_large"
  | "voice_text_too_long"
  | "voice_unsupported"
  | "voice_answer_invalid"

/** Speech that did not come about. The message says what to do; nothing that was said is in it. */
export class VoiceError extends OrraError {
  declare readonly code: VoiceErrorCode

  constructor(code: VoiceErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, details)
  }
}
