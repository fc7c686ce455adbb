import type { Route } from "@orra/gateway"
import { voiceRoutes } from "./api/voice.ts"
import type { Config } from "./config/settings.ts"
import type { Spend } from "./outlay.ts"

/** Dictation and reading aloud as the configuration has them. The package is loaded when they are on. */
export async function heraldVoice({ voice }: Config, spend: Spend): Promise<readonly Route[]> {
  if (!voice.enabled) return voiceRoutes(undefined, spend)
  const { openaiSpeaker, openaiTranscriber } = await import("@orra/voice")
  const service = {
    ...(voice.api_key !== undefined && { apiKey: voice.api_key }),
    ...(voice.api_url !== undefined && { baseURL: voice.api_url }),
  }
  const { transcription_model, speech_model, voice: name, api_url } = voice
  return voiceRoutes(
    {
      ears: openaiTranscriber({ ...service, model: transcription_model }),
      mouth: openaiSpeaker({ ...service, model: speech_model, voices: [name] }),
      voice: name,
      isOwn: api_url !== undefined,
    },
    spend,
  )
}
