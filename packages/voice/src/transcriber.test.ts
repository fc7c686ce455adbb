import { inspect } from "node:util"
import { afterEach, describe, expect, test } from "vitest"
import type { AudioFormat } from "./audio.ts"
import { type Asked, events, json, type Service, service } from "./fixture.ts"
import { type OpenAITranscriberOptions, openaiTranscriber } from "./openai-transcriber.ts"
import type { TranscriptEvent } from "./speech.ts"

const KEY = "sk-of-the-household-123456"
const padded = (beginning: Buffer): Buffer => Buffer.concat([beginning, Buffer.alloc(64)])
const AUDIO: Readonly<Record<AudioFormat, Buffer>> = {
  wav: padded(Buffer.from("RIFF\0\0\0\0WAVEfmt ", "latin1")),
  mp3: padded(Buffer.from("ID3\x04", "latin1")),
  flac: padded(Buffer.from("fLaC")),
  ogg: padded(Buffer.from("OggS")),
  webm: padded(Buffer.from("1a45dfa3", "hex")),
  mp4: padded(Buffer.from("\0\0\0\x20ftypM4A ", "latin1")),
}

let open: Service | undefined
afterEach(() => {
  open?.[Symbol.dispose]()
  open = undefined
})

async function ears(answer: Parameters<typeof service>[0], options: OpenAITranscriberOptions = {}) {
  open = await service(answer)
  const { asked } = open
  return {
    asked,
    ears: openaiTranscriber({ apiKey: KEY, fetch: open.fetch, ...options }),
    baseURL: open.baseURL,
  }
}

const all = async (stream: AsyncIterable<TranscriptEvent>): Promise<TranscriptEvent[]> =>
  await Array.fromAsync(stream)

describe("what is said is written down", () => {
  test("with how sure the model is, and what it cost by what the service has counted", async () => {
    const usage = {
      type: "tokens",
      input_tokens: 1_100,
      input_token_details: { text_tokens: 100, audio_tokens: 1_000 },
      output_tokens: 50,
      total_tokens: 1_150,
    }
    const { ears: one, asked } = await ears(
      (_, response) =>
        json(response, {
          text: "Good morning.",
          logprobs: [
            { token: "a", logprob: -0.1 },
            { token: "b", logprob: -0.3 },
          ],
          usage,
        }),
      { model: "gpt-4o-mini-transcribe" },
    )
    const transcript = await one.transcribe(AUDIO.wav, { language: "en", prompt: "Ada, Herald" })
    expect(transcript).toEqual({
      text: "Good morning.",
      words: [],
      confidence: expect.closeTo(Math.exp(-0.2)),
      costUsd: expect.closeTo((1_000 * 3 + 100 * 1.25 + 50 * 5) / 1e6),
    })
    expect(asked[0]).toMatchObject({
      path: "/v1/audio/transcriptions",
      authorization: `Bearer ${KEY}`,
      fields: {
        model: "gpt-4o-mini-transcribe",
        language: "en",
        prompt: "Ada, Herald",
        response_format: "json",
      },
    })
    expect(asked[0]?.files.map(({ name, type, size }) => [name, type, size])).toEqual([
      ["audio.wav", "audio/wav", AUDIO.wav.length],
    ])
  })

  test("by Whisper, with the times of words, and cost by the minute", async () => {
    const { ears: one, asked } = await ears(
      (_, response) =>
        json(response, {
          text: "Good morning.",
          language: "english",
          duration: 30,
          words: [
            { word: "Good", start: 0, end: 0.4 },
            { word: "morning", start: 0.4, end: 1 },
          ],
          segments: [{ avg_logprob: -0.5 }],
        }),
      { model: "whisper-1" },
    )
    expect(await one.transcribe(AUDIO.mp3, { wordTimestamps: true })).toEqual({
      text: "Good morning.",
      language: "english",
      durationSecs: 30,
      words: [
        { word: "Good", startSecs: 0, endSecs: 0.4 },
        { word: "morning", startSecs: 0.4, endSecs: 1 },
      ],
      confidence: expect.closeTo(Math.exp(-0.5)),
      costUsd: expect.closeTo(0.003),
    })
    expect(asked[0]?.fields).toMatchObject({
      response_format: "verbose_json",
      "timestamp_granularities[]": "word",
    })
  })

  test("as it is heard: pieces, then the whole", async () => {
    const { ears: one, asked } = await ears((_, response) =>
      events(response, [
        { type: "transcript.text.delta", delta: "Good " },
        { type: "transcript.text.delta", delta: "morning." },
        {
          type: "transcript.text.done",
          text: "Good morning.",
          usage: { type: "duration", seconds: 40 },
        },
      ]),
    )
    expect(await all(one.stream(AUDIO.ogg))).toEqual([
      { type: "text", text: "Good " },
      { type: "text", text: "morning." },
      {
        type: "done",
        transcript: { text: "Good morning.", words: [], durationSecs: 40, costUsd: expect.closeTo(0.003) },
      },
    ])
    expect(asked[0]?.fields).toMatchObject({ stream: "true" })
  })

  test("by a server of one's own, whole where it cannot stream, without a key or a price", async () => {
    const { asked, baseURL } = await ears((_, response) => json(response, { text: "Hello." }))
    const one = openaiTranscriber({ baseURL, model: "faster-whisper" })
    expect(await all(one.stream(AUDIO.flac))).toEqual([
      { type: "text", text: "Hello." },
      { type: "done", transcript: { text: "Hello.", words: [] } },
    ])
    expect(asked[0]?.authorization).toBeUndefined()
  })

  test.each(Object.entries(AUDIO))("from %s, by its bytes", async (format, bytes) => {
    const { ears: one, asked } = await ears((_, response) => json(response, { text: "" }))
    await one.transcribe(bytes)
    expect(asked[0]?.files[0]?.name).toBe(`audio.${format}`)
  })
})

describe("what is refused before it is sent", () => {
  test.each<readonly [string, Uint8Array, object, string]>([
    ["nothing", new Uint8Array(), {}, "voice_audio_invalid"],
    ["text", Buffer.from("this is no sound at all"), {}, "voice_audio_invalid"],
    ["a picture", Buffer.from("89504e470d0a1a0a0000000d", "hex"), {}, "voice_audio_invalid"],
    ["a picture in RIFF", Buffer.from("RIFF\0\0\0\0WEBPVP8 ", "latin1"), {}, "voice_audio_invalid"],
    ["AAC without a container", Buffer.from("fff15080000000000000000000", "hex"), {}, "voice_audio_invalid"],
    ["one format under the name of another", AUDIO.wav, { format: "mp3" }, "voice_audio_invalid"],
    ["more than may be", Buffer.concat([AUDIO.wav, Buffer.alloc(2_000)]), {}, "voice_audio_too_large"],
    ["a language that is none", AUDIO.wav, { language: "English\r\nX: y" }, "invalid_input"],
    ["times of words by a model that has none", AUDIO.wav, { wordTimestamps: true }, "voice_unsupported"],
  ])("%s", async (_, audio, options, code) => {
    const { ears: one, asked } = await ears((_, response) => json(response, { text: "" }), {
      maxBytes: 1_000,
    })
    await expect(one.transcribe(audio, options)).rejects.toMatchObject({ code })
    await expect(all(one.stream(audio, options))).rejects.toMatchObject({ code })
    expect(asked).toEqual([])
  })
})

describe("a service that fails", () => {
  test.each<readonly [string, number, unknown, string]>([
    ["a wrong key", 401, { error: { code: "invalid_api_key", message: `wrong: ${KEY}` } }, "provider_auth"],
    ["too many", 429, { error: { message: "slow down" } }, "provider_rate_limit"],
    [
      "a broken recording",
      400,
      { error: { message: "Audio file might be corrupted" } },
      "provider_invalid_request",
    ],
    ["down", 503, "oh", "provider_overloaded"],
    ["no text", 200, { words: [] }, "voice_answer_invalid"],
    ["text that is none", 200, { text: 7 }, "voice_answer_invalid"],
    ["half an answer", 200, '{"text": "Go', "provider_protocol"],
  ])("%s", async (_, status, body, code) => {
    const { ears: one } = await ears((_, response) => json(response, body, status))
    const error = await one.transcribe(AUDIO.wav, { prompt: "canary" }).catch((failure: unknown) => failure)
    expect(error).toMatchObject({ code })
    expect(inspect(error, { depth: 0 }).split("[cause]")[0]).not.toMatch(/canary|sk-of/)
  })

  test("breaks off in the middle of a stream", async () => {
    const { ears: one } = await ears((_, response) =>
      events(response, [{ type: "transcript.text.delta", delta: "Good " }]),
    )
    await expect(all(one.stream(AUDIO.wav))).rejects.toMatchObject({ code: "voice_answer_invalid" })
  })

  test("that is silent is left, and so is one whose caller stops", async () => {
    const stop = new AbortController()
    const silent = (_: Asked, response: { destroyed: boolean }): void => {
      if (response.destroyed) throw new Error("it is gone")
      stop.abort()
    }
    const { ears: stopped } = await ears(silent)
    await expect(stopped.transcribe(AUDIO.wav, { signal: stop.signal })).rejects.toMatchObject({
      code: "provider_aborted",
    })
    const { ears: late } = await ears(() => {}, { timeoutMs: 50 })
    await expect(late.transcribe(AUDIO.wav)).rejects.toMatchObject({ code: "provider_timeout" })
  })
})

test("a server that leaves out the times of words that were asked for is not taken at its word", async () => {
  const { baseURL } = await ears((_, response) =>
    json(response, { text: "Hello.", duration: 1, language: "en" }),
  )
  const one = openaiTranscriber({ baseURL, model: "other" })
  await expect(one.transcribe(AUDIO.wav, { wordTimestamps: true })).rejects.toMatchObject({
    code: "voice_unsupported",
  })
})
