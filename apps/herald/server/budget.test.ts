import { expect, test } from "vitest"
import { parseConfig } from "./config/load.ts"
import { heraldSite } from "./fixture.ts"

const message = (text: string, namespace: string) => ({ message: text, namespace })
/** What the owner and Ada have spent today, in USD. */
const spentOf = (usage: unknown): Record<string, unknown> =>
  Object.fromEntries(
    (
      usage as { people: { name: string; limits: { per: string; unit: string; spent: number }[] }[] }
    ).people.map(({ name, limits }) => [
      name,
      limits.find(({ per, unit }) => per === "day" && unit === "usd")?.spent,
    ]),
  )

test("what is spent is counted for each person, and shown to that person and the owner", async () => {
  const site = await heraldSite({ answer: () => "Heard." })
  await site.ask("POST", "/api/chat", message("Hello", "ada:x"), "ada")
  const [, all] = await site.ask("GET", "/api/usage")
  expect(spentOf(all)).toEqual({ owner: 0, Ada: expect.any(Number) })
  expect(spentOf(all)["Ada"]).toBeGreaterThan(0)
  const [, own] = await site.ask("GET", "/api/usage", undefined, "ada")
  expect(Object.keys(spentOf(own))).toEqual(["Ada"])
  expect(JSON.stringify(own)).toContain('"limit":null')
  await site.close()
})

test("where a limit has no room nothing is asked of the model, and the owner alone allows more", async () => {
  const site = await heraldSite({ answer: () => "Heard.", config: "[budget]\nusd_per_day = 0.01\n" })
  const ask = () => site.ask("POST", "/api/chat", message("Hello", "ada:x"), "ada")
  const [status, refused] = await ask()
  expect(status).toBeGreaterThanOrEqual(400)
  expect(refused).toMatchObject({ code: "budget_exceeded", error: expect.stringContaining("0.01 USD a day") })
  expect(site.model.requests).toEqual([])
  const grant = { namespace: "ada", per: "day", usd: 1 }
  expect((await site.ask("POST", "/api/usage/grants", grant, "ada"))[0]).toBe(403)
  for (const wrong of [{ ...grant, namespace: "bob" }, { ...grant, per: "run" }, { ...grant, usd: -1 }, {}])
    expect((await site.ask("POST", "/api/usage/grants", wrong))[0], JSON.stringify(wrong)).toBe(400)
  expect((await site.ask("POST", "/api/usage/grants", grant))[0]).toBe(200)
  expect((await ask())[0]).toBe(200)
  await site.close()
})

test("an answer that waits for more goes on when it is allowed", async () => {
  const config = '[budget]\nusd_per_day = 0.01\nat_limit = "ask"\n'
  const site = await heraldSite({ answer: () => "Heard after all.", config })
  await site.ask("POST", "/api/sessions/ada:x/messages", message("Hello", "ada:x"), "ada")
  await expect
    .poll(async () => JSON.stringify((await site.ask("GET", "/api/sessions", undefined, "ada"))[1]))
    .toContain('"waiting"')
  await site.ask("POST", "/api/usage/grants", { namespace: "ada", per: "day", usd: 1 })
  await expect
    .poll(async () => JSON.stringify((await site.ask("GET", "/api/sessions/ada:x", undefined, "ada"))[1]))
    .toContain("Heard after all.")
  await site.close()
})

test("a cheaper model has to be named", () => {
  const toml = '[budget]\nat_limit = "cheap"\n'
  expect(() => parseConfig(toml, "a.toml", {})).toThrow("a.toml:2: budget.at_limit")
  expect(parseConfig(`[provider]\ncheap_model = "c"\n${toml}`, "a.toml", {}).config.budget.at_limit).toBe(
    "cheap",
  )
})
