import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { call } from "@orra/testing"
import { chromium } from "playwright-core"
import { expect, onTestFinished, test } from "vitest"
import { check } from "./support/access.ts"
import { hasResults, lastUserText } from "./support/demo-model.ts"
import { openSite, said, send, settled } from "./support/site.ts"

/** One pixel. */
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64")
/** Silence of about two seconds: frames of MPEG 1, layer 3, 128 kbit/s at 44.1 kHz. */
const FRAME = Buffer.concat([Buffer.from("fffb9064", "hex"), Buffer.alloc(413)])
const MP3 = Buffer.concat(Array.from({ length: 80 }, () => FRAME))

/** A service that draws, listens and speaks. */
async function mediaService(): Promise<string> {
  const server = createServer(async (request, response) => {
    await buffer(request)
    if (request.url?.endsWith("/speech")) {
      response.setHeader("content-type", "audio/mpeg")
      response.end(MP3)
      return
    }
    const isListening = request.url?.endsWith("/transcriptions")
    const usage = {
      input_tokens: 1,
      input_tokens_details: { text_tokens: 1, image_tokens: 0 },
      output_tokens: 10,
    }
    const picture = { created: 1, data: [{ b64_json: GIF.toString("base64") }], usage }
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify(isListening ? { text: "Draw a heron." } : picture))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

// It needs a browser of its own, with a microphone.
test.runIf(process.env["ORRA_TEST_FULL"])(
  "a message is dictated, the picture it asks for is shown, the answer read aloud",
  async () => {
    const url = await mediaService()
    const browser = await chromium.launch({
      executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
      ],
    })
    onTestFinished(() => browser.close())
    const site = await openSite({
      browser,
      answer: (request) =>
        /heron/.test(lastUserText(request)) && !hasResults(request)
          ? [call("generate_image", { prompt: "A heron, in ink" })]
          : "Here it is.",
      config: `[tools]\nimage_gen = true\n[image]\napi_url = "${url}"\n[voice]\nenabled = true\napi_url = "${url}"\n`,
    })
    onTestFinished(() => site.close())
    const context = await site.person({ permissions: ["microphone"], reducedMotion: "reduce" })
    const page = await context.newPage()
    await page.goto(site.herald.url)
    const field = page.getByRole("textbox", { name: "Message", exact: true })
    await field.fill("Please:")
    await page.getByRole("button", { name: "Dictate" }).click()
    await page.getByRole("button", { name: "Stop dictating" }).click()
    await expect.poll(() => field.inputValue()).toBe("Please: Draw a heron.")
    await field.press("Enter")
    await said(page, "Here it is.").waitFor()
    await settled(page)
    const picture = page.getByRole("img", { name: "A heron, in ink" })
    await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1)
    await check(page, "a picture in the chat")
    await page.getByRole("button", { name: "Read aloud" }).click()
    await page.getByRole("button", { name: "Stop reading" }).waitFor()
    await page.getByRole("button", { name: "Read aloud" }).waitFor()
    await send(page, "And now?")
    await settled(page)
    expect(site.problems).toEqual([])
  },
)
