import { MemoryStore, Namespace } from "@orra/core"
import { expect, test } from "vitest"
import { Subscriptions } from "./subscriptions.ts"

const ada = Namespace.of("ada")
const one = (path: string, login = "a login") => ({
  endpoint: `https://push.example.com/${path}`,
  p256dh: "",
  auth: "",
  login,
  proof: "",
})

test("a person has twenty browsers, and a browser is forgotten only as it was read", async () => {
  const subscriptions = new Subscriptions(new MemoryStore().records("push"), () => [ada])
  const first = await subscriptions.put(ada, one("0"))
  for (let browser = 1; browser < 20; browser++) await subscriptions.put(ada, one(String(browser)))
  expect(await subscriptions.ids(ada)).toContain(first)
  const last = await subscriptions.put(ada, one("20"))
  const ids = await subscriptions.ids(ada)
  expect([ids.length, ids.includes(last)]).toEqual([20, true])

  const read = await subscriptions.get(ada, last)
  if (!read) throw new Error("it is not there")
  await subscriptions.put(ada, one("20", "another login"))
  await subscriptions.forget(ada, read)
  const again = await subscriptions.get(ada, last)
  expect(again?.login).toBe("another login")
  if (again) await subscriptions.forget(ada, again)
  expect(await subscriptions.get(ada, last)).toBeUndefined()
})
