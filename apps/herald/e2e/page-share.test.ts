import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { answers, gates } from "./support/answers.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

let site: Site
beforeAll(async () => {
  site = await openSite({ answer: answers(gates()), config: "share_links = true" })
})
afterAll(() => site.close())

test.runIf(process.env["ORRA_TEST_FULL"])(
  "a copy of a chat is read by whoever has the link, says nothing of what came later, and is taken back",
  async () => {
    const context = await site.person()
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await send(page, "evil")
    await settled(page)
    const share = async () => {
      await page.getByRole("button", { name: /^Options for “evil”/ }).click()
      await page.getByRole("menuitem", { name: "Share a copy" }).click()
    }
    await share()
    const dialog = page.getByRole("dialog", { name: "Share a copy" })
    await dialog.getByRole("radio", { name: "after a day" }).check()
    await check(page, "sharing a chat")
    await dialog.getByRole("button", { name: "Make a link" }).click()
    const link = await dialog.getByRole("textbox", { name: /^The link/ }).inputValue()
    await dialog.getByText(/^Made Today, ends /).waitFor()
    await page.keyboard.press("Escape")
    await send(page, "a secret of later")
    await said(page, "You said: a secret of later").waitFor()

    // Somebody else, in a browser of their own. What the model wrote does nothing there.
    const others = await site.stranger()
    const read = await others.newPage()
    const asked: string[] = []
    read.on("request", (request) => asked.push(request.url()))
    await read.goto(link)
    await read.getByText("the end").waitFor()
    expect(await read.content()).not.toContain("a secret of later")
    expect(asked.filter((url) => url !== link)).toEqual([])
    expect(await read.locator("script, iframe, form, base, [onclick], [onerror]").count()).toBe(0)

    await share()
    await dialog.getByRole("button", { name: /^Take back/ }).click()
    await page.getByText("The link leads nowhere any more.").waitFor()
    expect((await read.goto(link))?.status()).toBe(404)
    await others.close()
    await context.close()
  },
)
