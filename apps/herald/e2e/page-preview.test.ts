import { say } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
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

let site: Site
beforeAll(async () => {
  site = await openSite({
    answer: (request) =>
      say(
        lastUserText(request) === "page"
          ? fence("html", PAGE)
          : lastUserText(request) === "wrong"
            ? fence("mermaid", "graph TD\n  A --")
            : fence(
                "mermaid",
                "graph TD\n  A[Ask </script><script>] --> B{Known?}\n  B -->|yes| C[Answer]\n  B -->|no| D[Look]",
              ),
      ),
  })
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
