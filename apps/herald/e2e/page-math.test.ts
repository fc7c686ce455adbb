import { say, wait } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

const ANSWER =
  "For $5 or $10:\n\n$$\n\\boxed{x_1} = \\frac{-b \\pm \\sqrt{b^2}}{2a}\n$$\n\n- \\(a*b*c\\) and `$code$`\n\n" +
  "Wrong: \\(\\frac{a\\).\n\n<math><mtext><script>window.hacked = 1</script></mtext></math>\n\n" +
  "\\(\\href{javascript:window.hacked=2}{y} \\text{<img src=x onerror=window.hacked=3>}\\)\n\nthe end"

const half = Promise.withResolvers<void>()
let site: Site

beforeAll(async () => {
  site = await openSite({
    answer: () => [say(ANSWER.slice(0, 50)), wait(half.promise), say(ANSWER.slice(50))],
  })
})
afterAll(() => site.close())

test("formulas are set when they are complete, by the page's own rules, and copied as they were written", async () => {
  const context = await site.person()
  const page = await context.newPage()
  const scripts: string[] = []
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(new URL(request.url()).pathname)
  })
  await page.goto(site.herald.url)
  await send(page, "formulas please")
  await said(page, /\\boxed/).waitFor()
  expect(scripts.some((path) => /typeset/.test(path))).toBe(false)
  half.resolve()
  await said(page, "the end").waitFor()
  await settled(page)
  const answer = page.locator(".row .markdown").last()
  await answer.locator(".formula > math[display=block] mfrac msqrt").waitFor()
  expect(scripts.filter((path) => /typeset/.test(path))).toHaveLength(1)
  expect(await answer.locator("li > math").count()).toBe(1)
  expect(await answer.locator("li code").textContent()).toBe("$code$")
  await said(page, "For $5 or $10:").waitFor()
  await said(page, "Wrong: \\(\\frac{a\\).").waitFor()
  const { width, namespace } = await answer.locator(".formula mfrac").evaluate((element) => ({
    width: element.getBoundingClientRect().width,
    namespace: element.namespaceURI,
  }))
  expect(namespace).toBe("http://www.w3.org/1998/Math/MathML")
  expect(width).toBeGreaterThan(10)

  expect(await page.evaluate(() => "hacked" in window)).toBe(false)
  expect(await answer.locator("script, img, a, [style], .html-block math").count()).toBe(0)
  expect(site.problems.filter((problem) => !/has been blocked/.test(problem))).toEqual([])

  await page.keyboard.press("Control+Shift+C")
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(ANSWER)
  await context.close()
})
