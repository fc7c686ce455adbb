import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { answers, gates } from "./support/answers.ts"
import {
  MODEL_KEY,
  openBrowser,
  openSite,
  type Service,
  type Site,
  said,
  send,
  settled,
  transcript,
} from "./support/site.ts"

/** What is read out to those who do not see the page. */
const announced = (page: Page, how: "polite" | "urgent", text: string): Promise<void> =>
  page.locator(`[data-announcer=${how}]`).filter({ hasText: text }).waitFor({ state: "attached" })

const gate = gates()
let browser: Browser
let sites: Readonly<Record<Service, Site>>

beforeAll(async () => {
  browser = await openBrowser()
  const config = "[tools]\nfilesystem = true"
  const open = (service: Service) => openSite({ service, browser, config, answer: answers(gate) })
  const [claude, openai, none] = await Promise.all([open("claude"), open("openai"), open("none")])
  sites = { claude, openai, none }
})
afterAll(async () => {
  await Promise.all(Object.values(sites).map((site) => site.close()))
  await browser.close()
})

describe.each(["claude", "openai"] as const)("a chat with %s", (service) => {
  let site: Site
  let context: BrowserContext
  let page: Page

  beforeEach(async () => {
    site = sites[service]
    context = await site.person()
    page = await context.newPage()
    await page.goto(site.herald.url)
  })
  afterEach(async () => {
    await context.close()
    expect(site.problems).toEqual([])
  })

  test("streams an answer with tools, and shows what they did", async () => {
    await page.getByRole("button", { name: /Plan across time zones/ }).click()
    await said(page, "Tokyo is furthest ahead").waitFor()
    await settled(page)
    expect(page.url()).toContain("/c/")
    const card = page.getByRole("button", { name: /Look up the time in Asia\/Tokyo/ })
    expect(await card.textContent()).toMatch(/Done/)
    await card.click()
    await said(page, /in Asia\/Tokyo \(UTC\+09:00\)/).waitFor()
    await page.getByRole("button", { name: "Details" }).last().click()
    await page.getByText("Tokens written").waitFor()
    await expect.poll(() => page.title()).toContain("What time is it in Tokyo")
  })

  test("F1, D10: shows half of an answer while the other half is being written", async () => {
    await send(page, `hold ${service}`)
    await said(page, "The first half.").waitFor()
    expect(await page.getByRole("log").getAttribute("aria-busy")).toBe("true")
    await page.locator(".running").waitFor()
    await announced(page, "polite", "The answer has begun.")
    gate(service).resolve()
    await said(page, "The second half.").waitFor()
    await settled(page)
    await announced(page, "polite", "The second half.")
    await page.locator(".running").waitFor({ state: "detached" })
  })
})

describe("the page", () => {
  let site: Site
  let context: BrowserContext
  let page: Page

  beforeEach(async () => {
    site = sites.claude
    context = await site.person()
    page = await context.newPage()
    await page.goto(site.herald.url)
  })
  afterEach(async () => {
    await context.close()
    expect(site.problems).toEqual([])
  })

  test("stops an answer by Escape, keeps and marks what was written, and goes on from it", async () => {
    await send(page, "hang on")
    await said(page, "So far so good.").waitFor()
    await page.keyboard.press("Escape")
    await page.getByText("Stopped.", { exact: true }).waitFor()
    await settled(page)
    await expect.poll(() => transcript(page)).toEqual(["hang on", "So far so good."])
    await page.getByRole("button", { name: "Continue" }).click()
    await said(page, /You said: Continue from/).waitFor()
  })

  test("edits and sends again, and moves between the branches", async () => {
    await send(page, "first try")
    await said(page, "You said: first try").waitFor()
    await settled(page)
    await page.getByRole("article", { name: "You" }).hover()
    await page.getByRole("button", { name: "Edit and send again" }).click()
    const editor = page.getByRole("textbox", { name: "Edit your message" })
    await editor.fill("second try")
    await editor.press("Enter")
    await said(page, "You said: second try").waitFor()
    await settled(page)
    await expect.poll(() => transcript(page)).toEqual(["second try", "You said: second try"])
    await page.getByRole("group", { name: "Branch 2 of 2" }).waitFor()
    await page.getByRole("button", { name: "Previous branch" }).click()
    await said(page, "You said: first try").waitFor()
    await expect.poll(() => transcript(page)).toEqual(["first try", "You said: first try"])
    await page.getByRole("group", { name: "Branch 1 of 2" }).waitFor()
  })

  test("answers again, also with another model", async () => {
    await send(page, "count please")
    await said(page, "Answer number 1.").waitFor()
    await settled(page)
    await page.getByRole("button", { name: "Answer again", exact: true }).click()
    await said(page, "Answer number 2.").waitFor()
    await page.getByRole("group", { name: "Branch 2 of 2" }).waitFor()
    await settled(page)
    await page.getByRole("button", { name: "Answer again with" }).click()
    await page.getByRole("menuitem", { name: "Claude Haiku 4.5" }).click()
    await said(page, "Answer number 3.").waitFor()
    await settled(page)
    expect(site.model.requests.at(-1)?.body["model"]).toBe("claude-haiku-4-5")
    await expect.poll(() => transcript(page)).toEqual(["count please", "Answer number 3."])
    await page.getByRole("button", { name: "Previous branch" }).click()
    await said(page, "Answer number 2.").waitFor()
  })

  test("queues a message while an answer is written, and takes it back", async () => {
    await send(page, "hold queue")
    await said(page, "The first half.").waitFor()
    await send(page, "and then this")
    await said(page, "Waits for its turn").waitFor()
    await send(page, "but not this")
    await said(page, "but not this").waitFor()
    const last = page.getByRole("article", { name: "You" }).filter({ hasText: "but not this" })
    await last.getByRole("button", { name: "Take back" }).click()
    await last.waitFor({ state: "detached" })
    gate("queue").resolve()
    await said(page, "You said: and then this").waitFor()
    await settled(page)
    expect(await said(page, "You said: but not this").count()).toBe(0)
  })

  test("renames, finds, deletes and brings back a chat", async () => {
    await send(page, "a chat about otters")
    await said(page, "You said: a chat about otters").waitFor()
    const list = page.getByRole("navigation", { name: "Chats" })
    await list.getByRole("link", { name: "a chat about otters" }).waitFor()
    await list.getByRole("button", { name: /Options for “a chat about otters”/ }).click()
    await page.getByRole("menuitem", { name: "Rename" }).click()
    await page.getByRole("textbox", { name: "Title of the chat" }).fill("Otters & <b>friends</b>")
    await page.keyboard.press("Enter")
    await list.getByRole("link", { name: "Otters & <b>friends</b>" }).waitFor()
    await page.getByRole("heading", { level: 1, name: /Otters/ }).waitFor()

    const search = list.getByRole("searchbox")
    await search.fill("friends")
    await list.getByRole("link", { name: /Otters/ }).waitFor()
    await search.fill("nothing like it")
    await list.getByText("No chat is called").waitFor()
    await search.fill("")

    const { url } = { url: page.url() }
    await list.getByRole("button", { name: /Options for “Otters/ }).click()
    await page.getByRole("menuitem", { name: "Delete" }).click()
    await list.getByRole("link", { name: /Otters/ }).waitFor({ state: "detached" })
    await page.waitForURL(`${site.herald.url}/`)
    await page.getByRole("button", { name: "Undo" }).click()
    await list.getByRole("link", { name: /Otters/ }).waitFor()
    await page.waitForURL(url)
    await said(page, "You said: a chat about otters").waitFor()
  })

  test("downloads a chat as Markdown and as JSON", async () => {
    await send(page, "What time is it?")
    await said(page, "Tokyo is furthest ahead").waitFor()
    await settled(page)
    const save = async (format: string): Promise<string> => {
      await page
        .getByRole("button", { name: /Options for “What time is it/ })
        .first()
        .click()
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("menuitem", { name: `Download as ${format}` }).click(),
      ])
      return await readFile(await file.path(), "utf8")
    }
    const markdown = await save("Markdown")
    expect(markdown).toMatch(/^# What time is it\?\n/)
    expect(markdown).toContain("**Atlas** · ")
    expect(markdown).toContain('> `current_time` {"zone":"Asia/Tokyo"} · Done')
    expect(markdown).toContain("**Tokyo** is furthest ahead")
    const { entries } = JSON.parse(await save("JSON")) as { entries: readonly { type: string }[] }
    expect(entries.map(({ type }) => type)).toContain("tool_result")
  })

  test("keeps what was not sent, per chat, and goes back by the browser's button", async () => {
    await send(page, "chat one")
    await said(page, "You said: chat one").waitFor()
    const field = page.getByRole("textbox", { name: "Message", exact: true })
    await field.fill("not sent yet")
    await page.keyboard.press("Control+Shift+O")
    await page.getByText("What can I do for you?").waitFor()
    await expect.poll(() => field.inputValue()).toBe("")
    await page.goBack()
    await said(page, "You said: chat one").waitFor()
    await expect.poll(() => field.inputValue()).toBe("not sent yet")
    await page.reload()
    await said(page, "You said: chat one").waitFor()
    await expect.poll(() => field.inputValue()).toBe("not sent yet")
    await field.fill("")
    await field.press("ArrowUp")
    await page.getByRole("textbox", { name: "Edit your message" }).waitFor()
    await page.keyboard.press("Escape")
    await page.getByRole("textbox", { name: "Edit your message" }).waitFor({ state: "detached" })
  })

  test("sends pictures, files and long pastes, and refuses what no model reads", async () => {
    const picker = page.locator("input[type=file]")
    const pixel = Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
      "base64",
    )
    await picker.setInputFiles([
      { name: "dot.png", mimeType: "image/png", buffer: pixel },
      { name: "notes.md", mimeType: "", buffer: Buffer.from("# Notes") },
      { name: "film.mp4", mimeType: "video/mp4", buffer: Buffer.from("x") },
    ])
    await page.getByText(/film\.mp4 is of a kind/).waitFor()
    const field = page.getByRole("textbox", { name: "Message", exact: true })
    await field.focus()
    await page.evaluate((text) => navigator.clipboard.writeText(text), "long ".repeat(2_000))
    await page.keyboard.press("Control+V")
    await page.getByText(/Pasted text/).waitFor()
    await expect.poll(() => field.inputValue()).toBe("")
    await page.getByRole("button", { name: "Remove" }).nth(1).click()
    await send(page, "look at these")
    await said(page, "You said: look at these").waitFor()
    await expect.poll(() => page.locator(".user .attached-image").count()).toBe(1)
    await expect.poll(() => page.locator(".user .attached-file").count()).toBe(1)
  })

  test("never sends while an input method composes", async () => {
    const field = page.getByRole("textbox", { name: "Message", exact: true })
    await field.focus()
    const session = await context.newCDPSession(page)
    await session.send("Input.imeSetComposition", { text: "にほん", selectionStart: 3, selectionEnd: 3 })
    await page.keyboard.press("Enter")
    expect(page.url()).toBe(`${site.herald.url}/`)
    await session.send("Input.insertText", { text: "日本" })
    await expect.poll(() => field.inputValue()).toContain("日本")
    await field.press("Shift+Enter")
    await expect.poll(() => field.inputValue()).toContain("\n")
  })

  test("R3: says why an answer failed, keeps what there was, and tries again", async () => {
    await send(page, "fail once")
    await said(page, "The model service did not accept the request.").waitFor()
    await said(page, "It began well.").waitFor()
    await announced(page, "urgent", "did not accept")
    await page.getByRole("button", { name: "Copy details" }).click()
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toContain("provider_invalid_request")
    await page.getByRole("button", { name: "Try again" }).click()
    await said(page, /Now it works|You said: Continue/).waitFor()
    await settled(page)
  })

  test("asks before it writes a file: once, for exactly this, or not at all, with the reason", async () => {
    const card = page.getByRole("group", { name: "May write_file run?" })
    const files = join(site.folder, "data", "work", "web")
    await send(page, "write one")
    await card.waitFor()
    await announced(page, "urgent", "write_file waits until you allow it.")
    expect(await card.textContent()).toContain("Buy\\u202e milk")
    expect(existsSync(join(files, "one.txt"))).toBe(false)
    // A reload, and Herald itself, forget nothing.
    await page.reload()
    await card.getByRole("button", { name: "Allow once" }).click()
    await said(page, /So be it: .*one\.txt/).waitFor()
    await card.waitFor({ state: "detached" })
    expect(existsSync(join(files, "one.txt"))).toBe(true)
    await page.getByRole("button", { name: "Open one.txt" }).click()
    const beside = page.getByRole("complementary", { name: "Beside the chat" })
    await beside.getByText("milk").waitFor()
    await page.keyboard.press("Escape")
    await beside.waitFor({ state: "detached" })

    await send(page, "write two")
    await card.getByRole("button", { name: "Refuse" }).click()
    await card.getByRole("textbox", { name: /Why not/ }).fill("Not on a Sunday.")
    await page.keyboard.press("Enter")
    await said(page, /So be it: .*Not on a Sunday\./).waitFor()
    await page.getByRole("button", { name: /Write two\.txt/ }).click()
    await page.getByText("Refused by owner. Not on a Sunday.").waitFor()
    expect(await page.getByRole("button", { name: "Open two.txt" }).count()).toBe(0)

    await send(page, "write three")
    await card.getByRole("button", { name: "For this chat…" }).click()
    await card.getByRole("radio", { name: "write_file with exactly these arguments" }).waitFor()
    await card.getByRole("button", { name: "Allow and keep this rule" }).click()
    await said(page, /So be it: .*three\.txt/).waitFor()
    await settled(page)
    await page.getByRole("button", { name: "Answer again", exact: true }).last().click()
    await page.getByRole("group", { name: "Branch 2 of 2" }).waitFor()
    await said(page, /So be it: .*three\.txt/).waitFor()
    expect(await card.count()).toBe(0)
  })

  test("has many finished calls in one line that opens where it stands; one that failed stays in sight", async () => {
    await send(page, "survey")
    await said(page, "That is all there is.").waitFor()
    await settled(page)
    const group = page.getByRole("button", { name: "Look up the time × 3 · 2 reads" })
    const cards = page.getByRole("button", { name: /Done/ })
    await page.getByRole("button", { name: /Read missing\.txt.*Failed/ }).waitFor()
    expect(await cards.count()).toBe(0)
    // What is opened at the end of a chat stays where it was pressed.
    for (const head of [page.getByRole("button", { name: /Read missing\.txt.*Failed/ }), group]) {
      await head.focus()
      const before = await head.boundingBox()
      await page.keyboard.press("Enter")
      await expect.poll(() => head.getAttribute("aria-expanded")).toBe("true")
      await page.waitForFunction(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      )
      expect((await head.boundingBox())?.y).toBeCloseTo(before?.y ?? 0, 0)
    }
    await expect.poll(() => cards.count()).toBe(5)

    // It is as it was left when one comes back to the chat.
    await page.getByRole("button", { name: "New chat" }).first().click()
    await group.waitFor({ state: "detached" })
    await page.goBack()
    await expect.poll(() => group.getAttribute("aria-expanded")).toBe("true")
    await group.click()
    await expect.poll(() => cards.count()).toBe(0)
  })

  test("S11: shows hostile text as text", async () => {
    await send(page, "evil please <script>window.hacked = 0</script>")
    await said(page, "the end").waitFor()
    await settled(page)
    await page.locator(".html-block").first().waitFor({ state: "attached" })
    expect(await page.evaluate(() => "hacked" in window)).toBe(false)
    // The cleaning itself parses what is hostile, in a document that shows nothing: the browser says what it blocked.
    expect(site.problems.splice(0).filter((problem) => !/has been blocked/.test(problem))).toEqual([])
    const inside = page.locator(".message")
    for (const forbidden of [
      "script",
      "iframe",
      "form",
      "style",
      "svg[onload]",
      "img",
      "base",
      "meta",
      "[style]:not(.row)",
      "[onclick]",
      "#root",
      "input:not([type=checkbox])",
    ]) {
      expect(await inside.locator(`.markdown ${forbidden}`).count(), forbidden).toBe(0)
    }
    const hrefs = await inside
      .locator("a[href]")
      .evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""))
    expect(hrefs.every((href) => /^https:/.test(href))).toBe(true)
    expect(hrefs).toContain("https://evil.example/pixel.png")
    for (const link of await inside.locator("a[href]").all()) {
      expect(await link.getAttribute("rel")).toBe("noopener noreferrer")
      expect(await link.getAttribute("target")).toBe("_blank")
    }
  })
})

describe("the first start", () => {
  test("S3: lets in by the link, once, and by the key; asks for a model, tests it, and then answers", async () => {
    const site = sites.none
    const page = await (await site.stranger()).newPage()
    await page.goto(`${site.herald.url}/c/web:some-chat`)
    await page.getByRole("heading", { name: "Log in to Herald" }).waitFor()
    await page.getByLabel("API key of this Herald").fill("wrong")
    await page.getByRole("button", { name: "Log in" }).click()
    await page.getByText("This key is not known here.").waitFor()

    await page.goto(site.herald.loginUrl)
    await page.getByRole("heading", { name: "Connect a model" }).waitFor()
    await page.waitForURL(({ hash }) => hash === "")
    await page.getByLabel("API key", { exact: true }).fill("sk-ant-wrong")
    await page.getByRole("button", { name: "Test and save" }).click()
    await page.getByText("The model service does not accept the key.").waitFor()
    await page.getByLabel("API key", { exact: true }).fill(MODEL_KEY)
    await page.getByRole("button", { name: "Test and save" }).click()
    await page.getByText("What can I do for you?").waitFor()
    await send(page, "hello")
    await said(page, "You said: hello").waitFor()

    const other = await (await site.stranger()).newPage()
    await other.goto(site.herald.loginUrl)
    await other.getByText("This link did not work").waitFor()
    await other.getByRole("button", { name: /Print a new link/ }).click()
    await other.getByText("Look in the terminal").waitFor()
    await expect
      .poll(
        () =>
          [...site.herald.stdout().matchAll(/\/login#/g)].length +
          [...site.herald.stderr().matchAll(/\/login#/g)].length,
      )
      .toBeGreaterThan(1)

    await page.getByRole("button", { name: "Settings" }).click()
    await page.getByRole("menuitem", { name: "Log out" }).click()
    await page.getByRole("heading", { name: "Log in to Herald" }).waitFor()
    await page.goto(site.herald.url)
    await page.getByRole("heading", { name: "Log in to Herald" }).waitFor()
  })
})
