import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { call, lastText } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { hasResults } from "./support/demo-model.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

let site: Site
beforeAll(async () => {
  site = await openSite({
    config: '[tools]\nfilesystem = true\ndirectories = ["projects"]',
    prepare: async (folder) => {
      mkdirSync(join(folder, "projects", "garden", "beds"), { recursive: true })
      writeFileSync(join(folder, "projects", "garden", "notes.txt"), "Tulips by the wall")
    },
    answer: (request) =>
      hasResults(request) ? `It says: ${lastText(request)}` : [call("read_file", { path: "notes.txt" })],
  })
})
afterAll(() => site.close())

test.runIf(process.env["ORRA_TEST_FULL"])(
  "a chat works in the folder that is chosen for it, by keyboard too, and in the usual one again",
  async () => {
    const context = await site.person({ viewport: { width: 320, height: 640 } })
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await send(page, "What do my notes say?")
    await settled(page)
    await said(page, "notes.txt does not exist").waitFor()

    const button = page.getByRole("button", { name: "Choose the folder this chat works in" })
    await button.click()
    const dialog = page.getByRole("dialog", { name: "The folder of this chat" })
    await dialog.getByRole("button", { name: /^projects/ }).focus()
    await page.keyboard.press("Enter")
    await dialog.getByRole("button", { name: "garden" }).click()
    await dialog.getByRole("list", { name: "Folders in garden" }).getByText("beds").waitFor()
    await check(page, "choosing a chat's folder")
    await dialog.getByRole("button", { name: "Work here" }).click()
    await dialog.waitFor({ state: "detached" })
    const chosen = page.getByRole("button", { name: "This chat works in garden" })
    await chosen.waitFor()
    await send(page, "And now?")
    await said(page, "Tulips by the wall").waitFor()
    await settled(page)

    await page.reload()
    await chosen.click()
    await dialog.getByRole("button", { name: "The usual folder" }).click()
    await button.waitFor()
    expect(site.problems).toEqual([])
  },
)
