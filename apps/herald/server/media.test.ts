import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { call } from "@orra/testing"
import { type FakeDiscord, fakeDiscord } from "@orra/testing/discord"
import { afterAll, beforeAll, expect, test } from "vitest"
import { hasResults } from "../e2e/support/demo-model.ts"
import { parseConfig } from "./config/load.ts"
import { type HeraldSite, heraldSite } from "./fixture.ts"

const WEBP = Buffer.concat([Buffer.from("RIFF\0\0\0\0WEBPVP8 ", "latin1"), Buffer.alloc(64, 2)])
const MP3 = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\0\0", "latin1"), Buffer.alloc(64, 1)])
const WEBM = Buffer.concat([Buffer.from("1a45dfa3", "hex"), Buffer.alloc(64, 1)])

/** A service that makes pictures, listens and speaks, and what it was asked. */
async function mediaService() {
  const asked: { readonly path: string; readonly body: string }[] = []
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString("latin1")
    const path = request.url ?? ""
    asked.push({ path, body })
    if (path.endsWith("/speech")) {
      response.setHeader("content-type", "audio/mpeg")
      response.end(MP3)
      return
    }
    response.setHeader("content-type", "application/json")
    if (path.endsWith("/embeddings")) {
      const { input } = JSON.parse(body) as { readonly input: readonly string[] }
      const data = input.map((_, index) => ({ index, embedding: [1, index] }))
      response.end(JSON.stringify({ data, usage: { total_tokens: 100_000 } }))
      return
    }
    const usage = {
      input_tokens: 20,
      input_tokens_details: { text_tokens: 20, image_tokens: 0 },
      output_tokens: 1_000,
    }
    response.end(
      JSON.stringify(
        path.endsWith("/transcriptions")
          ? { text: "Good morning.", usage: { type: "duration", seconds: 60 } }
          : { created: 1, data: [{ b64_json: WEBP.toString("base64") }], usage },
      ),
    )
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

let media: Awaited<ReturnType<typeof mediaService>>
let discord: FakeDiscord
let site: HeraldSite

beforeAll(async () => {
  media = await mediaService()
  discord = await fakeDiscord()
  site = await heraldSite({
    discordApi: discord.api,
    config: [
      "[tools]",
      "image_gen = true",
      "[image]",
      `api_url = "${media.url}"`,
      "max_usd = 0.4",
      "[budget]",
      "usd_per_day = 1",
      "[voice]",
      "enabled = true",
      `api_url = "${media.url}"`,
      "[discord]",
      `token = "${discord.token}"`,
    ].join("\n"),
    answer: (request) =>
      hasResults(request) ? "Here it is." : [call("generate_image", { prompt: "A heron, in ink" })],
  })
})
afterAll(async () => {
  await site.close()
  await discord.close()
  media.close()
})

interface Part {
  readonly structured?: { readonly name?: string; readonly costUsd?: number }
}
const spent = async (): Promise<number | undefined> => {
  const [, body] = await site.ask("GET", "/api/usage")
  const { people } = body as { people: { limits: { per: string; unit: string; spent: number }[] }[] }
  return people[0]?.limits.find(({ per, unit }) => per === "day" && unit === "usd")?.spent
}

test("in Discord a picture is posted below the answer", async () => {
  const ada = discord.addUser("ada")
  const channel = discord.addChannel(discord.addGuild("home"), "general")
  await discord.until(() => discord.connected === 1)
  discord.write(ada, channel, { content: `<@${discord.bot.id}> Draw a heron`, mentions: [discord.bot] })
  await discord.until(() => discord.messages(channel).some(({ attachments }) => attachments.length > 0))
  const [, answer, picture] = discord.messages(channel)
  expect(answer?.content).toBe("Here it is.")
  const [file] = picture?.attachments ?? []
  expect(file?.filename).toMatch(/^image-[0-9a-f]{16}\.webp$/)
  expect(file && discord.fileOf(file).equals(WEBP)).toBe(true)
})

test("a picture is a file of the chat, shown to whoever has it and to nobody else, and charged to them", async () => {
  await site.ask("POST", "/api/chat", { namespace: "web:art", message: "Draw a heron" })
  const [, session] = await site.ask("GET", "/api/sessions/web%3Aart")
  const { entries } = session as { entries: { type: string; result?: Part }[] }
  const found = entries.find(({ type }) => type === "tool_result")?.result?.structured
  const name = found?.name ?? ""
  expect(name).toMatch(/^image-[0-9a-f]{16}\.webp$/)
  expect(found?.costUsd).toBeCloseTo((20 * 5 + 1_000 * 30) / 1e6)
  // The model's own calls cost as well.
  expect(await spent()).toBeGreaterThan((20 * 5 + 1_000 * 30) / 1e6)

  const path = `/api/sessions/web%3Aart/images/${name}`
  const picture = await site.fetch(path)
  expect(Buffer.from(await picture.arrayBuffer()).equals(WEBP)).toBe(true)
  expect(Object.fromEntries(picture.headers)).toMatchObject({
    "content-type": "image/webp",
    "x-content-type-options": "nosniff",
    "content-security-policy": expect.stringContaining("default-src 'none'"),
    "cache-control": expect.stringContaining("private"),
  })
  for (const [wrong, who] of [
    [path, "ada"],
    [`/api/sessions/ada%3Aart/images/${name}`, "ada"],
    [`/api/sessions/web%3Aother/images/${name}`, "owner"],
    ["/api/sessions/web%3Aart/images/image-0000000000000000.webp", "owner"],
    ["/api/sessions/web%3Aart/images/..%2F..%2Fassistant.toml", "owner"],
  ] as const)
    expect((await site.fetch(wrong, { who })).status, `${who} ${wrong}`).toBe(404)
  expect((await site.fetch(path, { who: "nobody" })).status).toBe(401)
})

test("what is said is written down, what is written is read aloud", async () => {
  expect(await site.ask("GET", "/api/voice")).toEqual([200, { enabled: true }])
  expect((await site.fetch("/api/voice")).headers.get("permissions-policy")).toContain("microphone=(self)")
  const said = await site.ask("POST", "/api/voice/listen", { data: WEBM.toString("base64"), language: "en" })
  expect(said).toEqual([200, { text: "Good morning." }])
  const speech = await site.fetch("/api/voice/speak", {
    method: "POST",
    body: JSON.stringify({ text: "Good evening." }),
  })
  expect([speech.status, speech.headers.get("content-type")]).toEqual([200, "audio/mpeg"])
  expect(Buffer.from(await speech.arrayBuffer()).equals(MP3)).toBe(true)
  expect(media.asked.at(-1)).toMatchObject({
    path: "/v1/audio/speech",
    body: expect.stringContaining("Good evening."),
  })
})

test.each([
  ["listen", {}, 400],
  ["listen", { data: "ä" }, 400],
  ["listen", { data: Buffer.from("<html>").toString("base64") }, 400],
  ["speak", {}, 400],
  ["speak", { text: " " }, 400],
  ["speak", { text: "x".repeat(5_000) }, 400],
])("%s: %j is refused before anything is sent", async (what, body, status) => {
  const before = media.asked.length
  expect((await site.ask("POST", `/api/voice/${what}`, body))[0]).toBe(status)
  expect(media.asked.length).toBe(before)
})

test("nothing is listened to, said or drawn where it is not switched on", async () => {
  const plain = await heraldSite()
  expect(await plain.ask("GET", "/api/voice")).toEqual([200, { enabled: false }])
  expect((await plain.fetch("/api/voice")).headers.get("permissions-policy")).toContain("microphone=()")
  expect((await plain.ask("POST", "/api/voice/speak", { text: "Hello" }))[0]).toBe(404)
  await plain.close()
  for (const toml of ["[tools]\nimage_gen = true\n", "[voice]\nenabled = true\n"])
    expect(() => parseConfig(toml, "a.toml", {})).toThrow(/_key, or/)
})

test("what is said and heard is charged where it has a price, and not begun where there is no room for it", async () => {
  const poor = await heraldSite({
    config: `[budget]\nusd_per_day = 0.1\n[voice]\nenabled = true\napi_key = "k"\n`,
  })
  // 0.15 USD are set aside: nobody is asked.
  expect(await poor.ask("POST", "/api/voice/speak", { text: "Hello" })).toMatchObject([
    402,
    { code: "budget_exceeded" },
  ])
  await poor.close()
})

test("what finds documents by their meaning is charged to the owner by what the service counts, and not asked for without room", async () => {
  const embedding = (usd: number) =>
    `[budget]\nusd_per_day = 0.3\n[documents.embeddings]\nmodel = "m"\napi_url = "${media.url}"\nusd_per_million_tokens = ${usd}\n`
  const paying = await heraldSite({ config: embedding(2) })
  const upload = (name: string, who?: "ada") =>
    paying.ask(
      "POST",
      "/api/documents",
      { name, data: Buffer.from(`All of ${name}`).toString("base64") },
      who,
    )
  expect(await upload("a.txt")).toMatchObject([200, { document: { byMeaning: true } }])
  const [, usage] = await paying.ask("GET", "/api/usage")
  const { people } = usage as { people: { limits: { per: string; unit: string; spent: number }[] }[] }
  expect(people[0]?.limits.find(({ per, unit }) => per === "day" && unit === "usd")?.spent).toBeCloseTo(0.2)
  expect(await upload("b.txt", "ada")).toMatchObject([200, { document: { byMeaning: true } }])
  // The limit is passed: the next one is found by its words alone, and that is said.
  expect(await upload("c.txt")).toMatchObject([
    200,
    { document: { byMeaning: false }, failure: expect.stringContaining("budget") },
  ])
  // Once there is room again it is given its meaning.
  await paying.ask("POST", "/api/usage/grants", { namespace: "web", per: "day", usd: 1 })
  await paying.ask("POST", "/api/documents/sync", {})
  const [, { documents }] = (await paying.ask("GET", "/api/documents")) as [number, { documents: unknown[] }]
  expect(documents).toMatchObject([
    { id: "a.txt", byMeaning: true },
    { id: "c.txt", byMeaning: true },
  ])
  await paying.close()
})
