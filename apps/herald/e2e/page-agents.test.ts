import { call, say, type WireAnswer, type WireRequest, wait } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { gates } from "./support/answers.ts"
import { hasResults, lastUserText } from "./support/demo-model.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

const gate = gates()

function answer(request: WireRequest): WireAnswer {
  const system = JSON.stringify(request.body["system"])
  const who = /You are ([\w ]+),/.exec(system)?.[1]
  const text = lastUserText(request)
  if (system.includes("Another agent gives you this task"))
    return [say(`${who} begins. `), wait(gate(text).promise), say(`${who} has looked.`)]
  if (!/^Ask (\w+)/.test(text)) return `I am ${who}.`
  if (hasResults(request)) return "That is all."
  return ["first", "second"].map((task) => call("delegate_to_agent", { agent: "Coder", task }))
}

/** Looking at every screen takes its time: only where there is time. */
const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}
let site: Site

beforeAll(async () => {
  site = await openSite({
    answer,
    config:
      '[[agents]]\nname = "Atlas"\n[[agents]]\nname = "Coder"\nmodel = "claude-haiku-4-5"\ntools = ["web_*"]\n',
  })
})
afterAll(() => site.close())

test("an agent is made, mentioned, chosen, deleted and back; what one hands to another is a tree that can be stopped", async () => {
  const context = await site.person({ timezoneId: "Pacific/Kiritimati", reducedMotion: "reduce" })
  const page = await context.newPage()
  await page.goto(`${site.herald.url}/agents`)
  const list = page.getByRole("list", { name: "Agents" })
  await list.getByRole("heading", { name: "Atlas answers when nobody is chosen" }).waitFor()
  await checkIfLong(page, "the agents")
  await page.getByRole("button", { name: "New agent" }).click()
  await page.getByLabel("Name", { exact: true }).fill("Coder")
  await page.getByRole("radio", { name: "Only these" }).check()
  await page.getByRole("checkbox", { name: "remember" }).check()
  await checkIfLong(page, "a new agent")
  await page.getByRole("button", { name: "Save" }).click()
  await page.getByText('There is an agent "Coder" already').waitFor()
  await page.getByLabel("Name", { exact: true }).fill("Nova")
  await page.getByRole("button", { name: "Save" }).click()
  await list.getByText("Can remember what you tell it and tell the time.").waitFor()

  // What answers is said, also where it is the agent that has a model of its own.
  await page.getByRole("button", { name: "New chat" }).first().click()
  await page.getByRole("button", { name: "Model: Claude Opus 4.6" }).waitFor()
  await page.getByRole("button", { name: /^Answers here/ }).click()
  await page.getByRole("menuitemradio", { name: "Coder" }).click()
  await page.getByRole("button", { name: "Model: Claude Haiku 4.5" }).waitFor()
  await page.keyboard.press("Escape")

  // Chosen for a chat; one message is for somebody else.
  const picker = page.getByRole("button", { name: /^Answers here/ })
  await picker.click()
  await page.getByRole("menuitemradio", { name: "Nova" }).click()
  await page.getByText("Nova answers here, and can remember what you tell it and tell the time.").waitFor()
  await send(page, "Who are you?")
  await said(page, "I am Nova.").waitFor()
  await page.getByRole("heading", { name: "Nova" }).waitFor()
  expect(JSON.stringify(site.model.requests.at(-1)?.body["system"])).toContain("Pacific/Kiritimati")
  const field = page.getByRole("textbox", { name: "Message", exact: true })
  await field.pressSequentially("@c")
  await page.getByRole("option", { name: /Coder/ }).waitFor()
  await checkIfLong(page, "the mention")
  await field.press("Enter")
  await field.pressSequentially("and you?")
  await field.press("Enter")
  await said(page, "I am Coder.").waitFor()
  await page.reload()
  await page.getByRole("button", { name: "Answers here: Nova" }).waitFor()

  // Deleted: its chat stays, the default answers, and it can be had back.
  await page.getByRole("link", { name: "Agents" }).click()
  await list.getByRole("button", { name: "Delete Nova" }).click()
  await list.getByRole("heading", { name: "Nova" }).waitFor({ state: "detached" })
  await page.goBack()
  await page.getByText("Nova is not there any more: Atlas answers here now.").waitFor()
  await said(page, "I am Nova.").waitFor()
  await send(page, "Ask Coder twice.")
  await page.getByRole("button", { name: "Undo" }).click()
  await page.getByRole("button", { name: "Answers here: Nova" }).waitFor()

  // One branch is stopped, the other comes to its end.
  const first = page.locator(".branch").filter({ hasText: "Coder: first" })
  const second = page.locator(".branch").filter({ hasText: "Coder: second" })
  await first.getByRole("button", { name: "Coder: first" }).click()
  await first.getByText("Coder begins.").waitFor()
  await first.getByText("current_time, web_fetch").waitFor()
  await second.getByRole("button", { name: "Stop Coder" }).click()
  await second.getByText("Stopped").waitFor()
  gate("first").resolve()
  await first.getByText("Coder has looked.").waitFor()
  await first.getByText(/^Done/).waitFor()
  await first.getByText(/tokens · about/).waitFor()
  await said(page, "That is all.").waitFor()
  await settled(page)
  await page.getByRole("heading", { name: "Atlas" }).last().waitFor()
  await checkIfLong(page, "the branches")
  expect(site.problems).toEqual([])
  await context.close()
})
