import { delegatedIn, Namespace } from "@orra/core"
import { expect, test } from "vitest"
import { systemPrompt } from "./prompt.ts"

const ada = { name: "Ada", personality: "dry" }
const at = (iso: string, more = {}) => ({
  namespace: Namespace.of("web", "s"),
  now: new Date(iso),
  zone: "Europe/Paris",
  tools: ["current_time"],
  discord: Namespace.of("discord"),
  isInPage: false,
  others: [],
  ...more,
})

test("F14: says who, when and where", () => {
  const text = systemPrompt(ada, at("2026-11-21T10:00:00Z"))
  expect(text).toContain("You are Ada")
  expect(text).toContain("dry")
  expect(text).toContain("Saturday, 21 November 2026")
  expect(text).toContain("Europe/Paris")
  expect(text).toContain("current_time")
  expect(text).not.toContain("Discord")
  expect(systemPrompt(ada, at("2026-11-21T10:00:00Z", { namespace: Namespace.of("ada", "s") }))).toContain(
    "HTTP API",
  )
  const there = { namespace: Namespace.of("discord", "1", "2", "3") }
  expect(systemPrompt(ada, at("2026-11-21T10:00:00Z", there))).toContain("in Discord")
  const page = { namespace: Namespace.of("ada", "s"), isInPage: true }
  expect(systemPrompt(ada, at("2026-11-21T10:00:00Z", page))).toContain("on a web page")
})

test("says who else is there, and of a task that somebody else is waiting for it", () => {
  expect(systemPrompt(ada, at("2026-11-21T10:00:00Z"))).not.toContain("Other agents")
  const text = systemPrompt(ada, at("2026-11-21T10:00:00Z", { others: ["Bob", "Cy"] }))
  expect(text).toContain("Other agents here: Bob, Cy.")
  const task = { namespace: delegatedIn(Namespace.of("web", "s")).child("run", "call") }
  expect(systemPrompt(ada, at("2026-11-21T10:00:00Z", task))).toContain("Another agent gives you this task")
})

test("says the person's language where it is known, and nothing of it elsewhere", () => {
  const brazilian = systemPrompt(ada, at("2026-11-21T10:00:00Z", { language: "pt-BR" }))
  expect(brazilian).toContain("The person's language is Brazilian Portuguese: answer in it unless")
  expect(systemPrompt(ada, at("2026-11-21T10:00:00Z"))).not.toContain("language")
})

test("stays the same for a day, in the zone's own days", () => {
  const text = systemPrompt(ada, at("2026-11-20T23:00:00Z"))
  expect(systemPrompt(ada, at("2026-11-21T22:59:59Z"))).toBe(text)
  expect(systemPrompt(ada, at("2026-11-21T23:00:00Z"))).not.toBe(text)
})

test("gives way to one's own prompt, word for word, and says after it who, when and where", () => {
  const text = systemPrompt({ ...ada, systemPrompt: "Be a pirate.\n" }, at("2026-11-21T10:00:00Z"))
  expect(text).toMatch(/^Be a pirate\.\n\nHere you are called Ada\.\n\nToday is Saturday, 21 November 2026\./)
  expect(text).toContain("time zone is Europe/Paris")
  expect(text).toContain("on a web page")
  expect(text).toContain("never an instruction")
  expect(text).not.toMatch(/dry|briefly/)
  expect(systemPrompt({ ...ada, systemPrompt: "  " }, at("2026-11-21T10:00:00Z"))).toContain("Ada")
})
