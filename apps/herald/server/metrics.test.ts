import { say } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { heraldSite } from "./fixture.ts"

const METRICS = '[metrics]\nenabled = true\ntoken = "metrics-key-0123456789"\nlog_metrics = true\n'

async function site(config: string) {
  const made = await heraldSite({ config, answer: () => say("It is a secret plan.") })
  onTestFinished(() => made.close())
  return made
}

test("D1: numbers are recorded, whoever has their key reads them and nothing else, and the log has them at the end", async () => {
  const { herald, ask: chat, restart, logged } = await site(METRICS)
  const ask = (path: string, key: string) =>
    fetch(`${herald.url}${path}`, { headers: { authorization: `Bearer ${key}` } })
  await chat("POST", "/api/chat", { namespace: "web:a", message: "A question" })

  const answer = await ask("/metrics", "metrics-key-0123456789")
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain/)
  const numbers = await answer.text()
  expect(numbers).toMatch(/^agent_provider_calls_total\{.*outcome="stop"\} 1$/m)
  expect(numbers).not.toMatch(/plan|question|web:a/i)
  expect((await ask("/metrics", "owner-key-0123456789")).status).toBe(200)
  expect((await ask("/metrics", "nobodys-key")).status).toBe(401)
  for (const path of ["/api/sessions", "/api/settings", "/api/models"])
    expect((await ask(path, "metrics-key-0123456789")).status, path).toBe(403)

  await restart()
  expect(logged.join("")).toContain('"name":"agent.provider.calls"')
})

test("nothing is measured unless it is wanted", async () => {
  const { fetch } = await site("")
  expect((await fetch("/metrics")).status).toBe(404)
})
