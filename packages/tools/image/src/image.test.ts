import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { inspect } from "node:util"
import {
  Budgets,
  DEFAULT_PRICES,
  eraseNamespace,
  type JsonObject,
  MemoryStore,
  Namespace,
  Runtime,
  type Tool,
  type ToolOutput,
} from "@orra/core"
import { call, scriptedProvider, useTool } from "@orra/testing"
import { afterEach, describe, expect, test } from "vitest"
import { ImageFiles } from "./files.ts"
import { type OpenAIImagesOptions, openaiImages } from "./openai-images.ts"
import { pictureTypeOf } from "./provider.ts"
import { type ImageToolsOptions, imageTools } from "./tools.ts"

interface Asked {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: Buffer
  /** Of JSON, or of a form. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly files: readonly File[]
}
interface Answer {
  readonly status?: number
  readonly body?: unknown
}

const ada = Namespace.of("household", "ada")
const bob = Namespace.of("household", "bob")
const KEY = "sk-of-the-household-123456"
const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(64, 1)])
const WEBP = Buffer.concat([Buffer.from("RIFF\0\0\0\0WEBPVP8 ", "latin1"), Buffer.alloc(64, 2)])
const USAGE = {
  input_tokens: 1_020,
  input_tokens_details: { text_tokens: 20, image_tokens: 1_000 },
  output_tokens: 4_000,
  total_tokens: 5_020,
}
const closing: (() => void)[] = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** The service on the wire, as the real SDK speaks to it. */
async function service(answer: (asked: Asked) => Answer | Promise<Answer>) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const one = await read(request)
    asked.push(one)
    const { status = 200, body } = await answer(one)
    response.writeHead(status, { "content-type": "application/json" })
    response.end(typeof body === "string" ? body : JSON.stringify(body))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const body = await buffer(request)
  const { url: path = "", headers } = request
  const type = headers["content-type"] ?? ""
  const common = { path, authorization: headers.authorization, body }
  if (!type.startsWith("multipart/")) return { ...common, fields: JSON.parse(body.toString()), files: [] }
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData()
  const entries = [...form]
  const isText = (entry: [string, FormDataEntryValue]): entry is [string, string] =>
    typeof entry[1] === "string"
  return {
    ...common,
    fields: Object.fromEntries(entries.filter(isText)),
    files: entries.flatMap(([, value]) => (typeof value === "string" ? [] : [value])),
  }
}

const picture = (bytes: Buffer, more: object = {}): Answer => ({
  body: { created: 1, data: [{ b64_json: bytes.toString("base64"), ...more }], usage: USAGE },
})

/** As OpenAI's own host, whose requests end up at the service. */
const official = (baseURL: string, options: OpenAIImagesOptions = {}) =>
  openaiImages({
    apiKey: KEY,
    ...options,
    fetch: (url, init) => fetch(String(url).replace("https://api.openai.com/v1", baseURL), init),
  })

const use = (tools: readonly Tool[], name: string, input: JsonObject): Promise<ToolOutput> =>
  useTool(tools, name, input, { namespace: ada })

async function world(
  answer: (asked: Asked) => Answer | Promise<Answer>,
  more: Partial<ImageToolsOptions> = {},
  images: OpenAIImagesOptions = {},
) {
  const { asked, baseURL } = await service(answer)
  const store = new MemoryStore()
  const tools = imageTools({ provider: official(baseURL, images), store, ...more })
  return { asked, baseURL, store, tools, files: new ImageFiles(store) }
}

const textOf = ({ content: [first] }: ToolOutput): string => (first?.type === "text" ? first.text : "")

describe("generate_image", () => {
  test("makes a picture, keeps it as a file of the namespace, and shows it", async () => {
    const { asked, tools, files } = await world(() => picture(WEBP, { revised_prompt: "A grey heron" }))
    const output = await use(tools, "generate_image", {
      prompt: "A heron",
      size: "1792x1024",
      style: "natural",
      quality: "hd",
    })
    expect(asked[0]).toMatchObject({
      path: "/v1/images/generations",
      authorization: `Bearer ${KEY}`,
      fields: {
        model: "gpt-image-2.6-flare",
        prompt: "A heron\n\nStyle: natural, true to life.",
        size: "1792x1024",
        quality: "high",
        output_format: "webp",
        n: 1,
      },
    })
    expect(output.content[1]).toEqual({
      type: "image",
      mediaType: "image/webp",
      data: WEBP.toString("base64"),
    })
    const [name = ""] = await files.list(ada)
    expect(textOf(output)).toBe(`Generated image: ${name}\nRevised prompt: A grey heron`)
    expect((await files.read(ada, name))?.bytes).toEqual(WEBP)
    expect(output.structured).toMatchObject({
      name,
      mediaType: "image/webp",
      bytes: WEBP.length,
      costUsd: 0.1281,
    })
  })

  test("in a run a chat has the picture, and the model is shown it", async () => {
    const { tools, store } = await world(() => picture(WEBP))
    const provider = scriptedProvider([call("generate_image", { prompt: "A heron" }), "There."])
    const runtime = new Runtime({ provider, store, tools })
    await runtime.run(ada, "Draw a heron.")
    const [result] = await store.read(ada, { types: ["tool_result"] })
    expect(result).toMatchObject({
      result: { status: "ok", content: [{ type: "text" }, { type: "image", mediaType: "image/webp" }] },
    })
    await runtime.close()
  })

  test("one that is too large for an answer is named, one that is too large altogether is an error", async () => {
    const { tools, files } = await world(() => picture(Buffer.concat([PNG, Buffer.alloc(1_000_000)])))
    const output = await use(tools, "generate_image", { prompt: "A heron" })
    expect(output.content.map(({ type }) => type)).toEqual(["text"])
    expect(textOf(output)).toContain("too large to be shown here")
    expect(await files.list(ada)).toHaveLength(1)
    const { tools: strict, files: none } = await world(() => picture(PNG), { maxBytes: 10 })
    await expect(use(strict, "generate_image", { prompt: "A heron" })).rejects.toMatchObject({
      code: "image_too_large",
    })
    expect(await none.list(ada)).toEqual([])
  })

  test.each<readonly [string, Answer, string]>([
    [
      "moderation",
      { status: 400, body: { error: { code: "moderation_blocked", message: "no" } } },
      "image_refused",
    ],
    [
      "a policy",
      { status: 400, body: { error: { code: "content_policy_violation", message: "no" } } },
      "image_refused",
    ],
    ["a page", { body: { data: [{ b64_json: Buffer.from("<html>").toString("base64") }] } }, "image_invalid"],
    [
      "an SVG",
      { body: { data: [{ b64_json: Buffer.from("<svg onload='x'/>").toString("base64") }] } },
      "image_invalid",
    ],
    ["an address", { body: { data: [{ url: "http://169.254.169.254/" }] } }, "image_invalid"],
    ["no picture", { body: { data: [] } }, "image_invalid"],
    ["nothing of it", { body: {} }, "image_invalid"],
    [
      "a wrong key",
      { status: 401, body: { error: { code: "invalid_api_key", message: `wrong: ${KEY}` } } },
      "provider_auth",
    ],
    [
      "no credit",
      { status: 429, body: { error: { code: "insufficient_quota", message: "pay" } } },
      "provider_quota",
    ],
    ["a size it has not", { status: 400, body: { error: { message: "size" } } }, "provider_invalid_request"],
    ["a failure", { status: 500, body: "oh" }, "provider_overloaded"],
    ["half an answer", { body: '{"data": [' }, "provider_protocol"],
  ])("the service answers with %s", async (_, answer, code) => {
    const { tools, files } = await world(() => answer)
    const error = await use(tools, "generate_image", { prompt: "A heron" }).catch(
      (failure: unknown) => failure,
    )
    expect(error).toMatchObject({ code })
    expect(String(inspect(error, { depth: 1 })).split("[cause]")[0]).not.toContain(KEY)
    expect(await files.list(ada)).toEqual([])
  })

  test("input that is none is refused before anything is asked", async () => {
    const { tools, asked } = await world(() => picture(PNG))
    for (const input of [
      {},
      { prompt: "" },
      { prompt: "  " },
      { prompt: 7 },
      { prompt: "a", size: "9x9" },
      { prompt: "a", quality: "best" },
      { prompt: "x".repeat(40_000) },
    ]) {
      await expect(use(tools, "generate_image", input)).rejects.toMatchObject({ code: "invalid_input" })
    }
    expect(asked).toEqual([])
    expect(() =>
      imageTools({ provider: openaiImages({ apiKey: KEY }), store: new MemoryStore(), maxUsd: -1 }),
    ).toThrow()
  })

  test("ends when its run is stopped", async () => {
    const stop = new AbortController()
    const { tools } = await world(() => {
      stop.abort()
      return new Promise<never>(() => {})
    })
    await expect(
      useTool(tools, "generate_image", { prompt: "A heron" }, { namespace: ada, signal: stop.signal }),
    ).rejects.toMatchObject({ code: "provider_aborted" })
  })
})

describe("edit_image", () => {
  test("sends pictures of the namespace and a mask, and keeps another one", async () => {
    const { tools, files, asked } = await world(() => picture(WEBP))
    const one = await files.save(ada, { mediaType: "image/png", bytes: PNG })
    const two = await files.save(ada, { mediaType: "image/webp", bytes: WEBP })
    const output = await use(tools, "edit_image", {
      prompt: "Bluer",
      images: [one, two],
      mask: one,
      size: "auto",
    })
    expect(asked[0]?.path).toBe("/v1/images/edits")
    expect(asked[0]?.fields).toMatchObject({
      prompt: "Bluer",
      model: "gpt-image-2.6-flare",
      quality: "medium",
    })
    const sent = asked[0]?.files.map(({ name, type, size }) => [name, type, size])
    expect(sent?.sort()).toEqual([
      ["image-1.png", "image/png", PNG.length],
      ["image-2.webp", "image/webp", WEBP.length],
      ["mask.png", "image/png", PNG.length],
    ])
    expect(textOf(output)).toMatch(/^Generated image: image-[0-9a-f]{16}\.webp$/)
    expect(await files.list(ada)).toHaveLength(3)
  })

  test("knows only pictures of its own namespace, whatever name the model has", async () => {
    const { tools, files, asked } = await world(() => picture(WEBP))
    const name = await files.save(bob, { mediaType: "image/png", bytes: PNG })
    for (const wrong of [name, "../../etc/passwd", "image-0000000000000000.png", "", "a\0b"]) {
      await expect(use(tools, "edit_image", { prompt: "Bluer", images: [wrong] })).rejects.toMatchObject({
        code: "image_not_found",
      })
    }
    expect(asked).toEqual([])
    expect(await files.delete(ada, name)).toBe(false)
    expect(await files.delete(bob, name)).toBe(true)
  })

  test("is not there when the provider cannot", () => {
    const { generate, id, model } = openaiImages({ apiKey: KEY })
    const tools = imageTools({ provider: { id, model, generate }, store: new MemoryStore() })
    expect(tools.map(({ definition }) => definition.name)).toEqual(["generate_image"])
  })
})

describe("what a picture costs", () => {
  const spending = async (answer: Answer, images: OpenAIImagesOptions = {}) => {
    const store = new MemoryStore()
    const budgets = new Budgets({ store, prices: DEFAULT_PRICES })
    budgets.set(ada, { per: "day", usd: 1 })
    const { tools, asked } = await world(() => answer, { budgets, maxUsd: 0.4 }, images)
    const make = (look = {}) =>
      use(tools, "generate_image", { prompt: "A heron", ...look }).catch((error: unknown) => error)
    const used = async (): Promise<number | undefined> =>
      (await budgets.state(ada)).find(({ unit }) => unit === "usd")?.spent
    return { make, used, asked }
  }

  test("is charged as the service counts it, and no picture is begun that a budget has no room for", async () => {
    const { make, used, asked } = await spending(picture(WEBP))
    await make()
    expect(await used()).toBeCloseTo(0.1281)
    for (let count = 0; count < 10; count++) await make()
    expect(await make()).toMatchObject({ code: "budget_exceeded" })
    // 0.4 are set aside each time: after five of 0.1281 there is no room.
    expect(asked.length).toBe(5)
  })

  test("is that of its own model, whose three sizes are kept to", async () => {
    const { make, used, asked } = await spending(picture(WEBP), { model: "gpt-image-1.5" })
    await make({ size: "1792x1024" })
    expect(await used()).toBeCloseTo(0.1361)
    expect(asked[0]?.fields["size"]).toBe("1536x1024")
  })

  test("is all it may be when nobody knows it, and nothing when the service refused", async () => {
    const unknown = await spending(picture(WEBP), { model: "gpt-image-9" })
    await unknown.make()
    expect(await unknown.used()).toBeCloseTo(0.4)
    const refused = await spending({ status: 400, body: { error: { code: "moderation_blocked" } } })
    await refused.make()
    expect(await refused.used()).toBe(0)
    const lost = await spending({ status: 500, body: "oh" })
    await lost.make()
    expect(await lost.used()).toBeCloseTo(0.4)
  })
})

test("other servers are asked as DALL-E was, and never for an address", async () => {
  const { asked, baseURL } = await service(() => picture(PNG))
  const images = openaiImages({ baseURL, model: "sd-3" })
  await images.generate({ prompt: "A heron", size: "1792x1024", style: "vivid", quality: "hd" })
  expect(asked[0]).toMatchObject({
    authorization: undefined,
    fields: {
      model: "sd-3",
      prompt: "A heron",
      size: "1792x1024",
      style: "vivid",
      quality: "hd",
      response_format: "b64_json",
    },
  })
})

test("a picture is what its bytes begin like", () => {
  expect(pictureTypeOf(PNG)).toBe("image/png")
  expect(pictureTypeOf(WEBP)).toBe("image/webp")
  expect(pictureTypeOf(Buffer.from("GIF89a..."))).toBe("image/gif")
  expect(pictureTypeOf(Buffer.from("ffd8ffe0", "hex"))).toBe("image/jpeg")
  for (const text of ["", "RIFF", "RIFF....WAVE", "<svg", "%PDF-1.7"])
    expect(pictureTypeOf(Buffer.from(text))).toBeUndefined()
})

test("pictures go with their namespace", async () => {
  const store = new MemoryStore()
  const files = new ImageFiles(store)
  await files.save(ada, { mediaType: "image/png", bytes: PNG })
  await files.save(bob, { mediaType: "image/png", bytes: PNG })
  await eraseNamespace(store, ada)
  expect(await files.list(ada)).toEqual([])
  expect(await files.list(bob)).toHaveLength(1)
})
