import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { answers, gates } from "./support/answers.ts"
import { writeLongChat } from "./support/long-chat.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

let site: Site
beforeAll(async () => {
  site = await openSite({ answer: answers(gates()), prepare: (folder) => writeLongChat(folder, 5_000) })
})
afterAll(() => site.close())

test("of 5,000 messages only those near the window exist; older ones come without a jump", async () => {
  const context = await site.person()
  const page = await context.newPage()
  const pages: string[] = []
  page.on("response", (response) => {
    if (/\/api\/sessions\/web.*limit=/.test(response.url())) pages.push(response.url())
  })
  await page.goto(`${site.herald.url}/c/web:long`)
  await said(page, "Answer 2500.").waitFor()
  const log = page.getByRole("log")
  expect(await page.locator(".row").count()).toBeLessThan(40)
  expect(pages.length).toBeLessThanOrEqual(2)
  const fromEnd = () =>
    log.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight)
  await expect.poll(fromEnd).toBeLessThan(2)

  // What is typed is the field's own business: nothing of the conversation is made anew for it. (Some of it may come late.)
  await log.evaluate((element) => {
    const changes = new MutationObserver(() => Object.assign(window, { wasTouched: true }))
    changes.observe(element, { subtree: true, childList: true, attributes: true, characterData: true })
  })
  const touches: boolean[] = []
  for (let key = 0; key < 20; key++) {
    await page.locator("#message").press("a")
    touches.push(
      await page.evaluate(
        () =>
          new Promise<boolean>((resolve) =>
            requestAnimationFrame(() => {
              resolve("wasTouched" in window)
              Reflect.deleteProperty(window, "wasTouched")
            }),
          ),
      ),
    )
  }
  expect(touches.filter(Boolean).length).toBeLessThan(10)

  // Older pages are put before what is read; what is read stays where it is.
  await log.hover()
  let previous: number | undefined
  while (pages.length < 4) {
    const top = await log.evaluate(({ scrollTop }) => scrollTop)
    await page.mouse.wheel(0, -1_200)
    // On a busy machine the wheel takes its time.
    await expect.poll(() => log.evaluate(({ scrollTop }) => scrollTop)).not.toBe(top)
    await page.waitForFunction(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    )
    const { number } = await reading(page)
    if (previous !== undefined) {
      const jump = previous - number
      expect(jump, `from ${previous} to ${number}`).toBeGreaterThanOrEqual(0)
      expect(jump, `from ${previous} to ${number}`).toBeLessThanOrEqual(14)
    }
    previous = number
  }
  const before = await reading(page)
  await page.getByRole("button", { name: "Jump to the latest" }).waitFor()

  // Somebody who reads above is not pulled down by what arrives below, but told of it.
  const other = await context.newPage()
  await other.goto(`${site.herald.url}/c/web:long`)
  await said(other, "Answer 2500.").waitFor()
  await send(other, "something new")
  await said(other, "You said: something new").waitFor()
  await page.getByRole("button", { name: "2 new messages" }).waitFor()
  await settled(page)
  const after = await reading(page)
  expect(after.number).toBe(before.number)
  expect(Math.abs(after.top - before.top)).toBeLessThan(3)
  await page.getByRole("button", { name: "2 new messages" }).click()
  await said(page, "You said: something new").waitFor()
  expect(site.problems).toEqual([])
  await context.close()
})

/** Which turn is being read, the first at or below this height of the window, and where exactly it is. */
const reading = (page: Page): Promise<{ readonly number: number; readonly top: number }> =>
  page.locator(".row").evaluateAll((rows) => {
    for (const row of rows) {
      const { top, bottom } = row.getBoundingClientRect()
      const number = /(?:Answer|Question) (\d+)/.exec(row.textContent ?? "")?.[1]
      if (bottom > 300 && number !== undefined) return { number: Number(number), top }
    }
    throw new Error("There is no message.")
  })
