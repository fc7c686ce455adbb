import type { ServerResponse } from "node:http"
import { afterEach, describe, expect, test } from "vitest"
import { isSpeech, type SpeechFormat, sampleRateOf } from "./audio.ts"
import { events, json, type Service, service } from "./fixture.ts"
import { type OpenAISpeakerOptions, openaiSpeaker } from "./openai-speaker.ts"
import type { SpeechEvent } from "./speech.ts"

const KEY = "sk-of-the-household-123456"

let open: Service | undefined
afterEach(() => {
  open?.[Symbol.dispose]()
  open = undefined
})

async function mouth(answer: Parameters<typeof service>[0], options: OpenAISpeakerOptions = {}) {
  open = await service(answer)
  const { asked, baseURL, fetch } = open
  return { asked, baseURL, mouth: openaiSpeaker({ apiKey: KEY, fetch, ...options }) }
}

/** WAV with 22,050 Hz. */
function wav(): Buffer {
  const bytes = Buffer.alloc(60)
  bytes.write("RIFF....WAVEfmt ", "latin1")
  bytes.writeUInt32LE(22_050, 24)
  return bytes
}
/** FLAC with 48,000 Hz. */
function flac(): Buffer {
  const bytes = Buffer.alloc(60)
  bytes.write("fLaC", "latin1")
  bytes.writeUInt32BE(48_000 * 4_096, 18)
  return bytes
}
/** MPEG 1 layer 3 with 32,000 Hz, behind a tag of 20 bytes. */
function mp3(): Buffer {
  const bytes = Buffer.alloc(60)
  bytes.write("ID3", "latin1")
  bytes.writeUInt8(20, 9)
  bytes.set([0xff, 0xfb, 0x98], 30)
  return bytes
}

const AUDIO: Readonly<Record<SpeechFormat, Buffer>> = {
  wav: wav(),
  flac: flac(),
  mp3: mp3(),
  opus: Buffer.from("OggS and some sound"),
  aac: Buffer.from("fff15080000000000000000000", "hex"),
  pcm: Buffer.from("0100feff0200fdff0100feff", "hex"),
}

const sound =
  (data: Buffer, type = "audio/mpeg") =>
  (_: unknown, response: ServerResponse) =>
    response.writeHead(200, { "content-type": type }).end(data)

const all = async (stream: AsyncIterable<SpeechEvent>): Promise<SpeechEvent[]> =>
  await Array.fromAsync(stream)

describe("what is written is said", () => {
  test("piece by piece as events, and it costs what the service has counted", async () => {
    const halves = [AUDIO.mp3.subarray(0, 40), AUDIO.mp3.subarray(40)]
    const { mouth: one, asked } = await mouth((_, response) =>
      events(response, [
        ...halves.map((half) => ({ type: "speech.audio.delta", audio: half.toString("base64") })),
        { type: "speech.audio.done", usage: { input_tokens: 10, output_tokens: 1_000, total_tokens: 1_010 } },
      ]),
    )
    const said = await all(
      one.stream("Good morning!", { voice: "nova", speed: 1.5, instructions: "Cheerfully." }),
    )
    expect(said).toEqual([
      ...halves.map((data) => ({ type: "audio", data })),
      { type: "done", bytes: 60, costUsd: expect.closeTo((10 * 0.6 + 1_000 * 12) / 1e6) },
    ])
    expect(asked[0]).toMatchObject({
      path: "/v1/audio/speech",
      authorization: `Bearer ${KEY}`,
      fields: {
        model: "gpt-4o-mini-tts",
        input: "Good morning!",
        voice: "nova",
        speed: 1.5,
        instructions: "Cheerfully.",
        response_format: "mp3",
        stream_format: "sse",
      },
    })
  })

  test("what comes first can be heard before the rest is there", async () => {
    const { promise: rest, resolve } = Promise.withResolvers<void>()
    const { mouth: one } = await mouth(
      async (_, response) => {
        response.writeHead(200, { "content-type": "audio/mpeg" })
        response.write(AUDIO.mp3)
        await rest
        response.end(AUDIO.mp3)
      },
      { model: "tts-1" },
    )
    const heard: number[] = []
    for await (const event of one.stream("Good morning!")) {
      if (event.type !== "audio") continue
      heard.push(event.data.length)
      resolve()
    }
    expect(heard.reduce((sum, length) => sum + length, 0)).toBe(120)
    expect(heard.length).toBeGreaterThan(1)
  })

  test("whole, by the character where that is the price", async () => {
    const { mouth: one, asked } = await mouth(sound(AUDIO.mp3), { model: "tts-1" })
    expect(await one.synthesize("Good 🌞!")).toEqual({
      data: AUDIO.mp3,
      format: "mp3",
      sampleRate: 32_000,
      costUsd: expect.closeTo(7 * 15e-6),
    })
    expect(asked[0]?.fields).not.toHaveProperty("stream_format")
  })

  test("by a server of one's own, with its own voices, without a key or a price", async () => {
    const { baseURL, asked } = await mouth(sound(AUDIO.wav, "audio/wav"))
    const one = openaiSpeaker({ baseURL, model: "piper", voices: ["thorsten"] })
    expect(await one.synthesize("Guten Morgen!", { format: "wav" })).toEqual({
      data: AUDIO.wav,
      format: "wav",
      sampleRate: 22_050,
    })
    expect(asked[0]).toMatchObject({
      authorization: undefined,
      fields: { voice: "thorsten", response_format: "wav" },
    })
  })
})

describe("formats", () => {
  test.each(Object.entries(AUDIO) as [SpeechFormat, Buffer][])(
    "%s is known by its bytes, and nothing else is it",
    (format, bytes) => {
      for (const other of Object.keys(AUDIO) as SpeechFormat[])
        expect(isSpeech(other, bytes)).toBe(other === format)
    },
  )

  test("the sample rate is the audio's own where it says one, even when it is broken off", () => {
    const rates = Object.entries(AUDIO).map(([format, bytes]) => sampleRateOf(format as SpeechFormat, bytes))
    expect(rates).toEqual([22_050, 48_000, 32_000, 48_000, 44_100, 24_000])
    for (const format of Object.keys(AUDIO) as SpeechFormat[]) {
      for (let length = 0; length < 60; length++) {
        expect(sampleRateOf(format, AUDIO[format].subarray(0, length))).toBeGreaterThan(0)
        expect(sampleRateOf(format, Buffer.alloc(length, 0xff))).toBeGreaterThan(0)
      }
    }
  })
})

describe("what is refused before it is sent", () => {
  test.each<readonly [string, string, object, string]>([
    ["nothing", " \n", {}, "invalid_input"],
    ["too much", "x".repeat(5_000), {}, "voice_text_too_long"],
    ["a voice that is none", "Hello", { voice: "darth" }, "invalid_input"],
    ["a speed that is none", "Hello", { speed: Number.NaN }, "invalid_input"],
    ["too fast", "Hello", { speed: 5 }, "invalid_input"],
    ["a format that is none", "Hello", { format: "midi" }, "invalid_input"],
  ])("%s", async (_, text, options, code) => {
    const { mouth: one, asked } = await mouth(sound(AUDIO.mp3))
    await expect(one.synthesize(text, options)).rejects.toMatchObject({ code })
    expect(asked).toEqual([])
  })
})

describe("a service that fails", () => {
  test.each<readonly [string, Parameters<typeof service>[0], string]>([
    [
      "a wrong key",
      (_, response) => json(response, { error: { code: "invalid_api_key" } }, 401),
      "provider_auth",
    ],
    ["down", (_, response) => json(response, "oh", 503), "provider_overloaded"],
    [
      "a page instead of sound",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "voice_answer_invalid",
    ],
    ["JSON instead of sound", (_, response) => json(response, { ok: true }), "voice_answer_invalid"],
    ["another format", sound(AUDIO.wav), "voice_answer_invalid"],
    ["text that is called sound", sound(Buffer.from("Internal error")), "voice_answer_invalid"],
    ["nothing", sound(Buffer.alloc(0)), "voice_answer_invalid"],
    ["too much", sound(Buffer.concat([AUDIO.mp3, Buffer.alloc(5_000)])), "voice_answer_invalid"],
    [
      "events that are none",
      (_, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end("data: {\n\n"),
      "provider_protocol",
    ],
    [
      "events without sound",
      (_, response) => events(response, [{ type: "speech.audio.done" }, [] as object]),
      "voice_answer_invalid",
    ],
  ])("%s", async (_, answer, code) => {
    const { mouth: one } = await mouth(answer, { maxBytes: 1_000 })
    await expect(one.synthesize("Hello")).rejects.toMatchObject({ code })
  })

  test("whoever stops listening closes the connection", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const { mouth: one } = await mouth((_, response) => {
      response.on("close", resolve)
      response.writeHead(200, { "content-type": "audio/mpeg" })
      response.write(AUDIO.mp3)
    })
    for await (const _ of one.stream("Hello")) break
    await closed
  })

  test("whoever is stopped is told so", async () => {
    const stop = new AbortController()
    const { mouth: one } = await mouth(() => stop.abort())
    await expect(one.synthesize("Hello", { signal: stop.signal })).rejects.toMatchObject({
      code: "provider_aborted",
    })
  })
})
