import { readFile } from "node:fs/promises"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { answers, gates } from "./support/answers.ts"
import { writeLongChat } from "./support/long-chat.ts"
import { openSite, type Site, said, send, settled, transcript } from "./support/site.ts"

let site: Site
beforeAll(async () => {
  site = await openSite({
    answer: answers(gates()),
    config: "[budget]\nusd_per_day = 5",
    prepare: (folder) => writeLongChat(folder, 1_000),
  })
})
afterAll(() => site.close())

/** Says something and waits for the answer. */
async function tell(page: Page, text: string): Promise<void> {
  await send(page, text)
  await said(page, `You said: ${text}`).waitFor()
  await settled(page)
}

test("finds what was said in any chat, takes a turn back, copies a chat, and deletes several", async () => {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(site.herald.url)
  await tell(page, "one apple")
  await tell(page, "two pears")
  const chat = page.url()

  // The palette finds a message that no page has loaded, and shows it.
  await page.keyboard.press("Control+K")
  await page.keyboard.type("question 17?")
  await page.getByRole("option", { name: /A long chat/ }).click()
  await said(page, "Question 417?").waitFor()
  await page.keyboard.press("Control+F")
  await page.getByRole("textbox", { name: "Find in this chat" }).fill("3?")
  await page.getByText("1 of 50").waitFor()
  await page.keyboard.press("Enter")
  await page.getByText("2 of 50").waitFor()
  await said(page, "Question 483?").waitFor()
  await page.keyboard.press("Escape")

  // Commands are there by name.
  await page.keyboard.press("Control+K")
  await page.keyboard.type("dark th")
  await page.keyboard.press("Enter")
  await expect.poll(() => page.locator("html").getAttribute("data-theme")).toBe("dark")

  // So they are in the message field after a /, also when Enter comes before they have been loaded.
  const field = page.getByRole("textbox", { name: "Message", exact: true })
  await field.fill("/light")
  await field.press("Enter")
  await expect.poll(() => page.locator("html").getAttribute("data-theme")).toBe("light")
  await field.pressSequentially("/mod")
  await page.getByRole("option", { name: "/model" }).waitFor()
  await field.press("Tab")
  await field.pressSequentially("haiku")
  await page.getByRole("option", { name: "Claude Haiku 4.5", selected: true }).waitFor()
  await field.press("Enter")
  await page.getByRole("button", { name: "Model: Claude Haiku 4.5" }).waitFor()
  expect(await field.inputValue()).toBe("")
  await field.pressSequentially("/new")
  await page.getByRole("listbox", { name: "Commands" }).waitFor()
  await field.fill("/")
  await page.getByRole("option", { name: "/model" }).waitFor()
  await check(page, "commands")
  await page.emulateMedia({ colorScheme: null })
  await field.press("ArrowUp")
  await page.getByRole("option", { name: "/settings", selected: true }).waitFor()
  await field.press("Escape")
  await page.getByRole("listbox", { name: "Commands" }).waitFor({ state: "detached" })
  expect(await field.inputValue()).toBe("/")
  await field.fill("")

  // A turn is taken back, and brought back.
  await page.goto(chat)
  await said(page, "You said: two pears").waitFor()
  await page.getByRole("button", { name: "More" }).last().click()
  await page.getByRole("menuitem", { name: "Take this turn back" }).click()
  await expect.poll(() => transcript(page)).toEqual(["one apple", "You said: one apple"])
  await page.getByRole("button", { name: "Bring it back" }).click()
  await said(page, "You said: two pears").waitFor()

  // A copy up to an answer goes its own way.
  await page.getByRole("button", { name: "More" }).nth(1).click()
  await page.getByRole("menuitem", { name: "Go on from here in a new chat" }).click()
  await page.getByRole("button", { name: "one apple (2)", exact: true }).waitFor()
  await tell(page, "three plums")
  expect(await transcript(page)).toEqual([
    "one apple",
    "You said: one apple",
    "three plums",
    "You said: three plums",
  ])

  // Of a chat everything can be taken back, and nothing is lost by it.
  for (const left of [["one apple", "You said: one apple"], []]) {
    await page.getByRole("button", { name: "More" }).last().click()
    await page.getByRole("menuitem", { name: "Take this turn back" }).click()
    await expect.poll(() => transcript(page)).toEqual(left)
  }
  await page.getByRole("heading", { name: "What can I do for you?" }).waitFor()
  await page.getByRole("button", { name: "Bring it back" }).last().click()
  await said(page, "You said: one apple").waitFor()

  // Several are deleted at once, and come back.
  const chats = page.getByRole("navigation", { name: "Chats" })
  await chats.getByRole("button", { name: "Options for “one apple (2)”" }).click()
  await page.getByRole("menuitem", { name: "Select several" }).click()
  await chats.getByRole("checkbox", { name: "one apple", exact: true }).check()
  await chats.getByRole("button", { name: "Delete" }).click()
  await page.getByText("2 chats were deleted.").waitFor()
  await chats.getByRole("link", { name: "one apple" }).first().waitFor({ state: "detached" })
  await page.getByRole("button", { name: "Undo" }).click()
  await chats.getByRole("link", { name: "one apple (2)" }).waitFor()

  // What is pinned stands first; what is archived stands elsewhere.
  await chats.getByRole("button", { name: "Options for “A long chat”" }).click()
  await page.getByRole("menuitem", { name: "Pin", exact: true }).click()
  await chats.getByRole("region", { name: "Pinned" }).getByRole("link", { name: "A long chat" }).waitFor()
  await chats.getByRole("button", { name: "Options for “one apple (2)”" }).click()
  await page.getByRole("menuitem", { name: "Archive" }).click()
  await chats.getByRole("link", { name: "one apple (2)" }).waitFor({ state: "detached" })
  await chats.getByRole("button", { name: "Archived chats" }).click()
  await chats.getByRole("link", { name: "one apple (2)" }).waitFor()
  await context.close()
  expect(site.problems).toEqual([])
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "attachments survive a reload, a temporary chat is in no list, HTML is harmless, the gauge says what is used",
  async () => {
    const context = await site.person()
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await tell(page, "Harmless <script>alert(1)</script>")
    await page.getByRole("button", { name: /of the model's window used/ }).click()
    await page.getByText("Cost so far").waitFor()
    await page.getByText("Left of your budget today").waitFor()
    await page.keyboard.press("Escape")
    await send(page, "evil")
    await settled(page)

    const chats = page.getByRole("navigation", { name: "Chats" })
    await chats.getByRole("button", { name: /^Options for “Harmless/ }).click()
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("menuitem", { name: "Download as HTML" }).click(),
    ])
    const html = await readFile(await saved.path(), "utf8")
    expect(html).toContain("default-src 'none'")
    expect(html).toContain("the end")
    expect(html).not.toMatch(/<script|<iframe|<form|<base|<[^>]*\son\w+=|href="javascript:/i)

    // On a slow line one sees how far a file is.
    const line = await context.newCDPSession(page)
    const throttle = (uploadThroughput: number) =>
      line.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput,
      })
    await throttle(100_000)
    const large = { name: "large.txt", mimeType: "text/plain", buffer: Buffer.alloc(1_500_000, "x") }
    await page.locator("input[type=file]").setInputFiles([large])
    await page.getByRole("button", { name: "Send", exact: true }).click()
    const progress = page.getByRole("progressbar", { name: "Sending…" })
    await expect.poll(() => progress.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(0.1)
    await throttle(-1)
    await progress.waitFor({ state: "detached" })
    await settled(page)

    const text = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("hello") }
    await page.locator("input[type=file]").setInputFiles([text])
    await page.getByText("notes.txt").waitFor()
    await expect
      .poll(() =>
        page.evaluate(
          () =>
            new Promise((resolve) => {
              const opening = indexedDB.open("herald")
              opening.onsuccess = () => {
                const count = opening.result.transaction("attachments").objectStore("attachments").count()
                count.onsuccess = () => resolve(count.result)
              }
            }),
        ),
      )
      .toBe(1)
    await page.reload()
    await page.getByText("notes.txt").waitFor()

    await page.goto(`${site.herald.url}/#temporary`)
    await page.getByText("This chat is in no list and no file.").waitFor()
    await tell(page, "forget this")
    await page.reload()
    await said(page, "You said: forget this").waitFor()
    await page.getByText("Temporary", { exact: true }).waitFor()
    expect(await chats.getByRole("link", { name: "forget this" }).count()).toBe(0)
    await context.close()
    // What was cut out of the HTML is told of.
    expect(site.problems.splice(0).filter((problem) => !/has been blocked/.test(problem))).toEqual([])
  },
)

test.runIf(process.env["ORRA_TEST_FULL"])(
  "a long press opens a message's menu, and a screen without a message field has a way past everything as well",
  async () => {
    const context = await site.person({
      hasTouch: true,
      isMobile: true,
      viewport: { width: 360, height: 700 },
    })
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await tell(page, "press me")
    const box = await page.locator(".answer .markdown").boundingBox()
    const touch = await context.newCDPSession(page)
    const touchPoints = [{ x: (box?.x ?? 0) + 20, y: (box?.y ?? 0) + 10 }]
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints })
    await page.getByRole("menuitem", { name: "Copy a link to this message" }).waitFor()
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] })
    await page.keyboard.press("Escape")
    await page.getByRole("menu").waitFor({ state: "detached" })

    await page.goto(`${site.herald.url}/settings`)
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor()
    await page.getByRole("button", { name: "Skip to the content" }).focus()
    await page.keyboard.press("Enter")
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("MAIN")
    await context.close()
    expect(site.problems).toEqual([])
  },
)
