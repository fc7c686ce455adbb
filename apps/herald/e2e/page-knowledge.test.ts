import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { call, type WireAnswer, type WireRequest } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { hasResults, lastUserText } from "./support/demo-model.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

function answer(request: WireRequest): WireAnswer {
  const text = lastUserText(request)
  if (/allergic/.test(text))
    return hasResults(request) ? "I will." : [call("remember", { content: "Allergic to nuts." })]
  if (/valve/.test(text))
    return hasResults(request) ? "The red one." : [call("search_documents", { query: "valve" })]
  return `You said: ${text}`
}

/** Looking at every screen takes its time. */
const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}
let site: Site

beforeAll(async () => {
  site = await openSite({
    answer,
    config:
      '[tools]\nfilesystem = true\ndirectories = ["handbook"]\n[documents]\nfolders = [{ path = "handbook" }]\n',
    prepare: async (folder) => {
      mkdirSync(join(folder, "handbook"))
      mkdirSync(join(folder, "handbook", "drafts"))
      writeFileSync(join(folder, "handbook", "leave.md"), "# Leave\n\nThirty days of leave.\n")
    },
  })
})
afterAll(() => site.close())

test("what is said is remembered, found, corrected, forgotten and back; documents are given, cited, deleted and back", async () => {
  const context = await site.person({ reducedMotion: "reduce" })
  const page = await context.newPage()
  const undo = (said: string) =>
    page.locator(".toast").filter({ hasText: said }).getByRole("button", { name: "Undo" }).click()
  await page.goto(`${site.herald.url}/memory`)
  await page.getByText("Nothing is remembered yet").waitFor()
  await checkIfLong(page, "the empty memory")

  await page.getByRole("button", { name: "New chat" }).first().click()
  await send(page, "I am allergic to nuts.")
  await said(page, "I will.").waitFor()
  await settled(page)
  await page.getByText("Remembered: Allergic to nuts.").waitFor()
  await page.getByRole("link", { name: "Memory" }).click()
  const memory = page.getByRole("list", { name: "Memories" })
  await memory.getByText("Allergic to nuts.").waitFor()
  await memory.getByRole("link", { name: "from you, in this chat" }).waitFor()
  await memory.getByRole("button", { name: /^Edit/ }).click()
  await page.getByLabel("What to remember").fill("Allergic to all nuts.")
  await page.getByRole("button", { name: "Save" }).click()
  await memory.getByText("Allergic to all nuts.").waitFor()
  await memory.getByRole("button", { name: /^Forget/ }).click()
  await page.getByText("Nothing is remembered yet").waitFor()
  await undo("It is forgotten.")
  await memory.getByText("Allergic to all nuts.").waitFor()
  await page.getByRole("searchbox", { name: "Search the memories" }).fill("heating")
  await page.getByText("No memory says anything of “heating”.").waitFor()
  await page.getByRole("searchbox", { name: "Search the memories" }).fill("NUTS")
  await memory.getByText("Allergic to all nuts.").waitFor()
  await checkIfLong(page, "the memory")

  await page.getByRole("link", { name: "Documents" }).click()
  await page.getByRole("button", { name: "Choose files" }).waitFor()
  await page.locator(".drop-zone input[type=file]").setInputFiles([
    { name: "boiler.md", mimeType: "text/markdown", buffer: Buffer.from("# Boiler\n\nThe valve is red.\n") },
    { name: "photo.png", mimeType: "image/png", buffer: Buffer.from([0x89, 0x50, 0, 1]) },
  ])
  await page.getByText("photo.png is neither text nor HTML nor PDF.").waitFor()
  const own = page.getByRole("list", { name: "Your documents" })
  await own.getByRole("link", { name: "Boiler" }).waitFor()
  await page.getByRole("button", { name: "Show its documents" }).click()
  await page.getByRole("list", { name: "handbook" }).getByRole("link", { name: "Leave" }).waitFor()
  await page.getByRole("searchbox", { name: "Try a search" }).fill("leave")
  await page.getByRole("list", { name: "What is found" }).getByText("Thirty days").waitFor()
  await checkIfLong(page, "the documents")
  await own.getByRole("button", { name: "Delete “boiler.md”" }).click()
  await own.waitFor({ state: "detached" })
  await undo("“boiler.md” was deleted.")
  await own.getByRole("link", { name: "Boiler" }).waitFor()

  await page.getByRole("button", { name: "New chat" }).first().click()
  await send(page, "Which valve is it?")
  await said(page, "The red one.").waitFor()
  await settled(page)
  await page.getByRole("complementary", { name: "What the answer stands on" }).waitFor()
  await checkIfLong(page, "an answer with its sources")
  await page.getByRole("link", { name: "lines 1–3" }).click()
  await page.locator(".document-text .cited").getByText("The valve is red.").waitFor()
  await checkIfLong(page, "the text of a document")

  // A chat's folder, chosen before its first message.
  await page.getByRole("button", { name: "New chat" }).first().click()
  await page.getByRole("button", { name: "Choose the folder this chat works in" }).click()
  await page.getByRole("button", { name: /^handbook/ }).click()
  await page.getByRole("button", { name: "drafts" }).click()
  await checkIfLong(page, "the choice of a folder")
  await page.getByRole("button", { name: "Work here" }).click()
  await page.getByRole("dialog", { name: "The folder of this chat" }).waitFor({ state: "detached" })
  await page.getByRole("button", { name: "This chat works in drafts" }).waitFor()
  await send(page, "What is here?")
  await said(page, "You said: What is here?").waitFor()
  await page.reload()
  await page.getByRole("button", { name: "This chat works in drafts" }).waitFor()
  expect(site.problems).toEqual([])
  await context.close()
})
