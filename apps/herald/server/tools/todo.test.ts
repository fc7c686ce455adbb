import type { Json } from "@orra/core"
import { call, say, type WireRequest } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldSite, heraldSite } from "../fixture.ts"

const step = (text: string, status = "pending") => ({ text, status })
const LISTS: Readonly<Record<string, Json>> = {
  good: [step("Read the letter", "done"), step("Answer it", "running"), step("Send it")],
  "too many": Array.from({ length: 31 }, () => step("More")),
  "too long": [step("x".repeat(201))],
  none: [],
  "no such status": [step("Wait", "waiting")],
}

let site: HeraldSite
beforeAll(async () => {
  site = await heraldSite({
    answer: ({ body }: WireRequest) => {
      const messages = JSON.stringify(body["messages"])
      if (messages.includes('"tool_result"')) return say("Done.")
      const wanted = Object.keys(LISTS).find((name) => messages.includes(`list: ${name}`)) ?? ""
      return call("todo", { steps: LISTS[wanted] ?? null })
    },
  })
})
afterAll(() => site.close())

interface Entry {
  readonly type: string
  readonly decision?: string
  readonly result?: unknown
}

test.each(Object.keys(LISTS))("a list that is %s", async (name) => {
  const chat = `/api/sessions/web:${name.replaceAll(" ", "-")}`
  await site.ask("POST", `${chat}/messages`, { message: `list: ${name}` })
  const entries = async () => ((await site.ask("GET", chat))[1] as { entries: readonly Entry[] }).entries
  await expect.poll(async () => (await entries()).at(-1)?.type).toBe("run_finished")
  const found = await entries()
  expect(found.find(({ type }) => type === "tool_result")?.result).toMatchObject(
    name === "good"
      ? { status: "ok", content: [{ type: "text", text: "1 of 3 done." }] }
      : { status: "error", content: [{ type: "text", text: expect.stringContaining("steps") }] },
  )
  // Nobody is asked for it.
  expect(found.some(({ type }) => type === "approval_request")).toBe(false)
})
