import { call, type WireRequest } from "@orra/testing"
import { expect, onTestFinished, test, vi } from "vitest"
import { heraldSite } from "./fixture.ts"

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 2, 11, 12)

/** A model that writes a file when it is asked to. */
function writing({ body }: WireRequest) {
  const last = JSON.stringify((body["messages"] as readonly unknown[]).at(-1))
  return last.includes("write a file") && !last.includes("tool_result")
    ? [call("write_file", { path: "a.txt", content: "Hello" })]
    : "Done."
}

test("the clock jumps forward and back: a reminder comes once, what was allowed for a while is over, and chats go on in order", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON })
  onTestFinished(() => void vi.useRealTimers())
  const site = await heraldSite({ config: "[tools]\nfilesystem = true", answer: writing })
  onTestFinished(() => site.close())
  const ok = async (method: string, path: string, body?: unknown) => {
    const [status, json] = await site.ask(method, path, body)
    expect(status, JSON.stringify(json)).toBeLessThan(300)
    return json as Record<string, unknown>
  }
  const say = (message: string) => ok("POST", "/api/chat", { message, namespace: "web:chat" })
  const asked = async () => {
    await ok("POST", "/api/sessions/web:chat/messages", { message: "write a file" })
    const waiting = async () =>
      (await ok("GET", "/api/approvals"))["approvals"] as readonly { approvalId: string }[]
    await vi.waitFor(async () => expect(await waiting()).toHaveLength(1), { timeout: 60_000 })
    const [{ approvalId } = { approvalId: "" }] = await waiting()
    await ok("POST", `/api/sessions/web:chat/approvals/${approvalId}`, { decision: "deny" })
    await vi.waitFor(
      async () => {
        const { info } = await ok("GET", "/api/sessions/web:chat")
        expect(info).not.toHaveProperty("openRun")
      },
      { timeout: 60_000 },
    )
  }
  const reminder = { name: "tea", when: "in 1 hour", payload: { type: "system_event", message: "Tea!" } }
  const { id } = await ok("POST", "/api/schedules", reminder)
  const told = async (): Promise<number> => {
    const { runs } = await ok("GET", `/api/schedules/${id}/runs`)
    return (runs as readonly { delivery: { state: string } }[]).filter(
      ({ delivery }) => delivery.state === "delivered",
    ).length
  }
  await say("one")
  await ok("PUT", "/api/sessions/web:chat/approve-everything", { minutes: 30 })
  await say("write a file")

  vi.setSystemTime(NOON + 3 * HOUR)
  await site.restart()
  await vi.waitFor(async () => expect(await told()).toBe(1), { timeout: 60_000 })
  await asked()

  vi.setSystemTime(NOON - 5 * HOUR)
  await asked()
  await site.restart()
  await asked()
  await say("last")
  expect(await told()).toBe(1)
  const { entries } = (await ok("GET", "/api/sessions/web:chat")) as { entries: readonly { type: string }[] }
  const texts = JSON.stringify(entries.filter(({ type }) => type === "user"))
  expect(texts.indexOf('"one"')).toBeLessThan(texts.indexOf('"last"'))
  expect(site.logged.join("")).not.toMatch(/"level":"(error|fatal)"/)
})
