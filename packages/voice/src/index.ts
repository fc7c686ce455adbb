export type { AudioFormat, SpeechFormat } from "./audio.ts"
export { VoiceError, type VoiceErrorCode } from "./errors.ts"
export { type OpenAISpeakerOptions, openaiSpeaker, type SpeechPrice } from "./openai-speaker.ts"
export {
  type OpenAITranscriberOptions,
  openaiTranscriber,
  type TranscriptionPrice,
} from "./openai-transcriber.ts"
export type {
  Speech,
  SpeechEvent,
  SpeechToText,
  SynthesizeOptions,
  TextToSpeech,
  TimedWord,
  TranscribeOptions,
  Transcript,
  TranscriptEvent,
} from "./speech.ts"
