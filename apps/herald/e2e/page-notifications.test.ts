import type { BrowserContext, Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { openSite, type Site } from "./support/site.ts"

let site: Site
beforeAll(async () => {
  site = await openSite({ answer: () => "Hello." })
})
afterAll(() => site.close())

/** A push service's answer, since none is asked from here: everything else is the browser's own. */
const withService = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript(() => {
    const kept = { subscription: null as PushSubscription | null }
    const { prototype } = PushManager
    prototype.getSubscription = async () => kept.subscription
    prototype.subscribe = async ({ applicationServerKey } = {}) => {
      const { publicKey } = (await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, [
        "deriveBits",
      ])) as CryptoKeyPair
      const text = (bytes: ArrayBuffer) =>
        btoa(String.fromCharCode(...new Uint8Array(bytes)))
          .replaceAll("+", "-")
          .replaceAll("/", "_")
          .replaceAll("=", "")
      const keys = {
        p256dh: text(await crypto.subtle.exportKey("raw", publicKey)),
        auth: text(crypto.getRandomValues(new Uint8Array(16)).buffer),
      }
      const ours = atob(String(applicationServerKey).replaceAll("-", "+").replaceAll("_", "/"))
      kept.subscription = {
        options: { applicationServerKey: Uint8Array.from(ours, (letter) => letter.charCodeAt(0)).buffer },
        toJSON: () => ({ endpoint: "https://127.0.0.1/push", keys }),
        unsubscribe: async () => {
          kept.subscription = null
          return true
        },
      } as unknown as PushSubscription
      return kept.subscription
    }
  })

/** Has the browser get pushes, as if they came from a push service. */
async function pusher(context: BrowserContext, page: Page) {
  const session = await context.newCDPSession(page)
  const { promise, resolve } = Promise.withResolvers<string>()
  session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    for (const { registrationId } of registrations) resolve(registrationId)
  })
  await session.send("ServiceWorker.enable")
  const registrationId = await promise
  return (news: object) =>
    session.send("ServiceWorker.deliverPushMessage", {
      origin: site.herald.url,
      registrationId,
      data: JSON.stringify(news),
    })
}

test("a device is switched on, shows what comes and opens where it leads, and is switched off", async () => {
  const context = await site.person({ permissions: ["notifications"] })
  await withService(context)
  const page = await context.newPage()
  await page.goto(`${site.herald.url}/settings/notifications`)
  await page.getByRole("button", { name: "Switch on" }).click()
  await page.getByText("This device shows them.").waitFor()
  await check(page, "notifications")
  // Herald knows it, and sends to no machine of its own network.
  await page.getByRole("button", { name: "Send one to try" }).click()
  await page.getByText("not on the public internet").waitFor()

  const push = await pusher(context, page)
  const [worker] = context.serviceWorkers()
  if (!worker) throw new Error("no service worker")
  const shown = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready
      return (await registration.getNotifications()).map(({ title, body, data }) => [title, body, data.url])
    })
  const news = { title: "A call waits for you", body: "Atlas wants to use it.", url: "/approvals", tag: "1" }
  /** What comes this way a browser that has much to do may drop: it comes again until it is there. */
  const shows = (title: string, ...all: readonly object[]) => {
    let asked = 0
    const seen = async () => {
      if (asked++ % 50 === 0) for (const each of all) await push(each)
      return await shown()
    }
    return expect.poll(seen, { interval: 100 }).toEqual([[title, news.body, "/approvals"]])
  }
  await shows(news.title, { ...news, isAlways: true, waiting: 1 })
  // As text: what a worker has is in no type that is known here.
  await worker.evaluate(`registration.getNotifications().then(([notification]) => {
    dispatchEvent(new NotificationEvent("notificationclick", { notification }))
  })`)
  await page.waitForURL("**/approvals")
  expect(await shown()).toEqual([])
  // Whoever looks at Herald sees it there.
  await shows("Another", { ...news, tag: "2" }, { ...news, tag: "3", title: "Another", isAlways: true })
  await page.reload()
  await expect.poll(shown).toEqual([])

  const session = await context.newCDPSession(page)
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors")
  // The browser of a test keeps nothing.
  const errors = installabilityErrors.map(({ errorId }) => errorId)
  expect(errors.filter((id) => id !== "in-incognito")).toEqual([])

  await page.goBack()
  await page.getByRole("button", { name: "Switch off" }).click()
  await page.getByText("This device shows none.").waitFor()
  await context.close()
  expect(site.problems).toEqual([])
})
