/**
 * Measures the page in a real browser: `node --conditions=@orra/source apps/herald/e2e/page-speed.ts`. A chat of 5,000
 * messages is to open within 1 s, a key to be shown within 50 ms, a token within 100 ms of its arrival.
 */
import type { Page } from "playwright-core"
import buildPages from "../../../scripts/built-pages.ts"
import { answers, gates } from "./support/answers.ts"
import { writeLongChat } from "./support/long-chat.ts"
import { openSite, said, send, settled } from "./support/site.ts"

const ROUNDS = 5
const KEYS = 60

await buildPages()
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
  report("a key to the frame that shows it, from the first moment on", await keys(page))
  report("a key to the frame that shows it, once the page is there", await keys(page))
  await send(page, "Explain a hash table")
  report("an event to the next frame, while streaming", await frames(page))
  await settled(page)
  await context.close()
} finally {
  await site.close()
}

/**
 * From each key to the frame that shows it, as the browser's own clock has it (Event Timing, in steps of 8 ms; a quicker key
 * than 16 ms is not told, and counts as 16). A timer in the page would not do: keys go before it, so it tells how long the
 * typing went on.
 */
async function keys(page: Page): Promise<readonly number[]> {
  const field = page.locator("#message")
  await field.fill("")
  await page.evaluate(() => {
    const times: number[] = []
    const observer = new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) if (name === "keydown") times.push(duration)
    })
    const slow: PerformanceObserverInit & { readonly durationThreshold: number } = {
      type: "event",
      durationThreshold: 16,
    }
    observer.observe(slow)
    Object.assign(window, { times })
  })
  const counts = await counter(page)
  for (let key = 0; key < KEYS; key++) await page.keyboard.press("a", { delay: 5 })
  await counts()
  const slow = await page.evaluate(
    () =>
      new Promise<number[]>((resolve) =>
        // What was observed is handed over when there is nothing else to do.
        requestIdleCallback(() => resolve((window as unknown as { times: number[] }).times)),
      ),
  )
  return [...slow, ...Array<number>(KEYS - slow.length).fill(16)]
}

/** What the browser does meanwhile, which is the same on a busy machine. */
async function counter(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page)
  await session.send("Performance.enable")
  const read = async () =>
    new Map((await session.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]))
  const before = await read()
  return async () => {
    const after = await read()
    const perKey = (name: string) => ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / KEYS
    console.log(
      `a key: ${perKey("LayoutCount").toFixed(1)} layouts (${(perKey("LayoutDuration") * 1_000).toFixed(1)} ms), ${(perKey("ScriptDuration") * 1_000).toFixed(1)} ms of script`,
    )
    await session.detach()
  }
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
