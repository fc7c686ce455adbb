/**
 * Measures the page in a real browser: `node --conditions=@orra/source apps/herald/e2e/page-speed.ts`. A chat of 5,000
 * messages is to open within 1 s, a key to be shown within 50 ms, a token within 100 ms of its arrival.
 */
import type { Page } from "playwright-core"
import { answers, gates } from "./support/answers.ts"
import buildPage from "./support/built-page.ts"
import { writeLongChat } from "./support/long-chat.ts"
import { openSite, said, send, settled } from "./support/site.ts"

const ROUNDS = 5
const KEYS = 60

await buildPage()
const site = await openSite({ answer: answers(gates()), prepare: (folder) => writeLongChat(folder, 5_000) })
try {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(site.herald.url)
  const opens: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now()
    await page.goto(`${site.herald.url}/c/web:long`)
    await said(page, "Answer 2500.").waitFor()
    opens.push(performance.now() - began)
  }
  report("open 5,000 messages, whole page load", opens)
  report("a key to the next frame", await keys(page))
  await send(page, "Explain a hash table")
  report("an event to the next frame, while streaming", await frames(page))
  await settled(page)
  await context.close()
} finally {
  await site.close()
}

/** From each key to the end of the frame that shows it. */
async function keys(page: Page): Promise<readonly number[]> {
  await page.locator("#message").focus()
  await page.evaluate(() => {
    const times: number[] = []
    Object.assign(window, { times })
    document.addEventListener("keydown", ({ timeStamp }) =>
      requestAnimationFrame(() => setTimeout(() => times.push(performance.now() - timeStamp))),
    )
  })
  for (let key = 0; key < KEYS; key++) await page.keyboard.press("a", { delay: 5 })
  return await page.evaluate(() => (window as unknown as { times: number[] }).times)
}

/** How long the main thread is busy at a time while an answer streams in. */
async function frames(page: Page): Promise<readonly number[]> {
  return await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const times: number[] = []
        let last = performance.now()
        const began = last
        const tick = () => {
          const now = performance.now()
          times.push(now - last)
          last = now
          if (now - began < 2_000) requestAnimationFrame(tick)
          else resolve(times)
        }
        requestAnimationFrame(tick)
      }),
  )
}

function report(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0)
  console.log(`${what}: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, worst ${at(1)} ms (${sorted.length})`)
}
