import AxeBuilder from "@axe-core/playwright"
import type { Page } from "playwright-core"
import { expect } from "vitest"

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

/** What axe finds in both themes by the rules of WCAG 2.2 AA and its own, and whether anything sticks out. */
export async function check(page: Page, screen: string): Promise<void> {
  await page.emulateMedia({ colorScheme: "light" })
  expect(await findings(page, (axe) => axe.withTags(RULES)), screen).toEqual([])
  await page.emulateMedia({ colorScheme: "dark" })
  // All that a theme can change.
  expect(
    await findings(page, (axe) => axe.withRules(["color-contrast", "link-in-text-block"])),
    `${screen}, dark`,
  ).toEqual([])
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  expect(excess, `${screen} is wider than the window`).toBeLessThanOrEqual(0)
}

async function findings(page: Page, rules: (axe: AxeBuilder) => AxeBuilder): Promise<readonly string[]> {
  // Colours fade in and out: what is judged is where they end.
  await page.evaluate(() => {
    // What says that something goes on has no end.
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY)
    return Promise.allSettled(ending.map(({ finished }) => finished))
  })
  // There are no frames, for which it would look at its findings in another page.
  const axe = rules(new AxeBuilder({ page }).setLegacyMode())
  const { violations } = await axe.analyze()
  return (
    violations
      // A menu is a layer above the landmarks.
      .filter(({ id, nodes }) => id !== "region" || nodes.some(({ html }) => !/role="menu"/.test(html)))
      .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html }) => html).join(" | ")}`)
  )
}
