/** Makes the pictures of the README anew: `node --conditions=@orra/source apps/herald/e2e/pictures.ts`. */
import { fileURLToPath } from "node:url"
import buildPages from "../../../scripts/built-pages.ts"
import { demoAnswer } from "./support/demo-model.ts"
import { openSite, send, settled } from "./support/site.ts"

const EARLIER = [
  "Plan a weekend in Lisbon",
  "Reply to the landlord about the heating",
  "Why is my sourdough flat?",
  "Compare the two electricity offers",
]

const picture = (name: string) => fileURLToPath(new URL(`../../../docs/images/${name}.png`, import.meta.url))

await buildPages()
const site = await openSite({ answer: demoAnswer })
try {
  const context = await site.person({ viewport: { width: 1280, height: 960 } })
  const page = await context.newPage()
  for (const text of EARLIER) {
    await page.goto(site.herald.url)
    await send(page, text)
    await page.locator(".message-foot").last().waitFor({ state: "attached" })
    await settled(page)
  }
  await page.goto(site.herald.url)
  for (const text of ["When can Tokyo and Berlin meet? Look up the time.", "Explain hash tables"]) {
    await send(page, text)
    await page.locator(".answer .message-foot").last().waitFor({ state: "attached" })
    await settled(page)
  }
  await page.locator(".hl-keyword").first().waitFor({ state: "attached" })
  await page.mouse.move(1270, 950)
  await page.getByRole("log").evaluate((log) => log.scrollTo(0, 190))
  // Nobody is writing: the field rests.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur())
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme })
    await page.waitForTimeout(400)
    await page.screenshot({ path: picture(`herald-${colorScheme}`) })
  }
  await context.close()
} finally {
  await site.close()
}
