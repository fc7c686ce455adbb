import { say, type WireAnswer, wait } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { lastUserText } from "./support/demo-model.ts"
import { openSite, type Site, send, settled } from "./support/site.ts"

const fence = (language: string, code: string): string =>
  `Here it is:\n\n\`\`\`${language}\n${code}\n\`\`\`\n`

/** It tries what a page must not be able to. */
const PAGE = `<h1>A page</h1><p id="got">nothing</p><button onclick="got.textContent='clicked'">Press</button>
<script>
const tried = []
const attempt = (name, what) => { try { what(); tried.push(name) } catch {} }
attempt("cookies", () => document.cookie)
attempt("storage", () => localStorage.length)
attempt("parent", () => parent.document.title)
attempt("top", () => { top.location = "/elsewhere" })
const image = new Image()
image.onload = () => tried.push("image")
image.src = "/icon-192.png"
Promise.all([fetch("/health").then(() => tried.push("fetch"), () => {}), new Promise((end) => { image.onerror = image.onload = end })])
  .then(() => { document.title = "done"; got.dataset.tried = tried.join() })
</script>`

const DIAGRAM =
  "graph TD\n  A[Ask </script><script>] --> B{Known?}\n  B -->|yes| C[Answer]\n  B -->|no| D[Look]"

/** Two versions of a page; the second is held where half of it has come. */
const timer = (minutes: number): string => `<title>Egg\u202E timer</title>\n<h1>${minutes} minutes</h1>\n`
const half = Promise.withResolvers<void>()

const ANSWERS: Readonly<Record<string, WireAnswer>> = {
  page: say(fence("html", PAGE)),
  diagram: say(fence("mermaid", DIAGRAM)),
  wrong: say(fence("mermaid", "graph TD\n  A --")),
  timer: say(fence("html", `${timer(4)}${PAGE}`)),
  "longer timer": [
    say(`Here it is:\n\n\`\`\`html\n${timer(5)}`),
    wait(half.promise),
    say(`${PAGE}\n\`\`\`\n`),
  ],
}

/** It costs a second or two. */
const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}

let site: Site
beforeAll(async () => {
  site = await openSite({ answer: (request) => ANSWERS[lastUserText(request)] ?? "Nothing." })
})
afterAll(() => site.close())

test("a page of an answer runs apart from everything; a diagram is drawn, and its source is a switch away", async () => {
  const context = await site.person()
  const page = await context.newPage()
  const scripts: string[] = []
  page.on("response", (response) => scripts.push(new URL(response.url()).pathname))
  await page.goto(site.herald.url)
  await send(page, "page")
  await settled(page)
  // Nothing of it runs unless it is asked for.
  expect(await page.locator("iframe").count()).toBe(0)
  await page.getByRole("button", { name: "Show what it looks like" }).click()
  const shown = page.frameLocator("iframe").last()
  const got = shown.locator("#got")
  await expect.poll(() => got.getAttribute("data-tried")).toBe("")
  await shown.getByRole("button", { name: "Press" }).click()
  await expect.poll(() => got.textContent()).toBe("clicked")
  await page.getByRole("button", { name: "Show the source" }).click()
  expect(await page.locator("iframe").count()).toBe(0)

  expect(scripts.some((path) => /mermaid/.test(path))).toBe(false)
  await send(page, "diagram")
  await settled(page)
  const diagram = page.frameLocator("iframe").last()
  await diagram.getByText("Known?").waitFor()
  await diagram.getByText("Ask").waitFor()
  await page.getByRole("button", { name: "Show the source" }).click()
  await page.locator("pre").getByText("A[Ask").waitFor()

  await send(page, "wrong")
  await settled(page)
  await page.getByText(/This cannot be drawn: /).waitFor()
  // That it was refused is what is said of it.
  expect(site.problems.filter((problem) => !/Content Security Policy|a request to/.test(problem))).toEqual([])
  await context.close()
})

test("what an answer wrote stands beside the chat, follows what is written, and has its versions", async () => {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(site.herald.url)
  await send(page, "timer")
  await settled(page)
  const chat = page.url()
  const panel = page.getByRole("complementary", { name: "Beside the chat" })
  const open = page.getByRole("button", { name: "Open beside the chat" }).first()
  await open.click()
  const shown = panel.frameLocator("iframe")
  await shown.getByRole("heading", { name: "4 minutes" }).waitFor()
  await expect.poll(() => shown.locator("#got").getAttribute("data-tried")).toBe("")
  await expect.poll(() => panel.getByRole("heading", { name: /^Egg.+timer$/ }).evaluate(isFocused)).toBe(true)

  // The next version takes its place while it is written: as text, since half of a page is none.
  await send(page, "longer timer")
  await panel.getByText("<h1>5 minutes").waitFor()
  expect(await page.getByRole("textbox", { name: "Message", exact: true }).evaluate(isFocused)).toBe(true)
  expect(await panel.getByRole("status").textContent()).toBe("Version 2 of 2")
  expect(await panel.locator("iframe").count()).toBe(0)
  half.resolve()
  await shown.getByRole("heading", { name: "5 minutes" }).waitFor()
  await panel.getByRole("button", { name: "Changes" }).click()
  await panel.locator("ins").waitFor()
  expect(await panel.locator("del, ins").allTextContents()).toEqual([
    "-<h1>4 minutes</h1>\n",
    "+<h1>5 minutes</h1>\n",
  ])
  await settled(page)
  await checkIfLong(page, "beside the chat")

  await panel.getByRole("button", { name: "Earlier version" }).click()
  const download = page.waitForEvent("download")
  await panel.getByRole("button", { name: "Download as Egg timer.html" }).click()
  expect((await download).suggestedFilename()).toBe("Egg timer.html")
  const edge = panel.getByRole("separator", { name: "Width" })
  await edge.press("End")
  await edge.press("ArrowRight")

  // Its address leads to it again, as wide as it was; going back leads to the chat alone.
  await page.reload()
  await shown.getByRole("heading", { name: "4 minutes" }).waitFor()
  expect(await edge.getAttribute("aria-valuenow")).toBe("73")
  await page.goBack()
  await panel.waitFor({ state: "detached" })
  expect(page.url()).toBe(chat)
  await open.press("Enter")
  await panel.waitFor()
  await page.keyboard.press("Escape")
  await panel.waitFor({ state: "detached" })
  await expect.poll(() => open.evaluate(isFocused)).toBe(true)

  await page.setViewportSize({ width: 320, height: 640 })
  await open.press("Enter")
  const sheet = page.getByRole("dialog", { name: "Beside the chat" })
  await sheet.getByRole("button", { name: "Source" }).click()
  await sheet.getByText("<h1>4 minutes").waitFor()
  await check(page, "over the chat")
  await page.keyboard.press("Escape")
  await sheet.waitFor({ state: "detached" })
  expect(page.url()).toBe(chat)
  expect(site.problems.filter((problem) => !/Content Security Policy|a request to/.test(problem))).toEqual([])
  await context.close()
})

const isFocused = (element: Element): boolean => element === document.activeElement
