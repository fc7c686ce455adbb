import { words } from "../i18n/en-devices.ts"

/** In this order: most browsers say that they are others too. */
const BROWSERS: readonly (readonly [string, RegExp])[] = [
  ["Edge", /\bEdg(?:e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(?:Firefox|FxiOS)\//],
  ["Chrome", /\b(?:Headless)?(?:Chrome|CriOS)\//],
  ["Safari", /\bSafari\//],
]

const SYSTEMS: readonly (readonly [string, RegExp])[] = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/],
]

const nameIn = (names: typeof BROWSERS, agent: string): string | undefined =>
  names.find(([, pattern]) => pattern.test(agent))?.[0]

/** What a browser is, by its `User-Agent`: "Firefox on Linux". */
export function deviceName(agent: string): string {
  const [browser, system] = [nameIn(BROWSERS, agent), nameIn(SYSTEMS, agent)]
  if (browser !== undefined && system !== undefined) return words.of(browser, system)
  return browser ?? system ?? ([...agent].slice(0, 60).join("") || words.unknown)
}
