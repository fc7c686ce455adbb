import { marked } from "marked"
import { describe, expect, test } from "vitest"
import { closeOpen } from "./close-open.ts"

const html = (text: string): string => marked.parser(marked.lexer(closeOpen(text))).trim()

describe("what was cut shows as if it ended there", () => {
  test.each([
    ["strong", "Some **bold te", "<p>Some <strong>bold te</strong></p>"],
    ["strong, half closed", "Some **bold*", "<p>Some <strong>bold</strong></p>"],
    ["strong before a space", "Some **bold ", "<p>Some <strong>bold</strong></p>"],
    ["an opening mark alone", "Some **", "<p>Some </p>"],
    ["nested", "Some **bold and *both", "<p>Some <strong>bold and <em>both</em></strong></p>"],
    ["underscores", "A _word", "<p>A <em>word</em></p>"],
    ["names with underscores", "call snake_case_name", "<p>call snake_case_name</p>"],
    ["a product", "2 * 3 = 6", "<p>2 * 3 = 6</p>"],
    ["strike", "~~gone", "<p><del>gone</del></p>"],
    ["code", "Run `npm sta", "<p>Run <code>npm sta</code></p>"],
    ["code in strong", "**Run `npm", "<p><strong>Run <code>npm</code></strong></p>"],
    ["marks in code", "`a ** b` and", "<p><code>a ** b</code> and</p>"],
    ["a link's text", "See [the doc", "<p>See the doc</p>"],
    ["a link's address", "See [the docs](https://exam", "<p>See the docs</p>"],
    ["an image", "Look ![a cat](https://exam", "<p>Look </p>"],
    ["a tag", "Press <kbd", "<p>Press </p>"],
    ["a list's dash", "Things:\n-", "<p>Things:</p>"],
    ["an underline", "Title\n=", "<p>Title</p>"],
    ["a fence", "```js\nlet a", '<pre><code class="language-js">let a\n</code></pre>'],
    ["half a closing fence", "```js\nlet a\n``", '<pre><code class="language-js">let a\n</code></pre>'],
    ["marks in a fence", "```\n**x", "<pre><code>**x\n</code></pre>"],
  ])("%s", (_, text, expected) => {
    expect(html(text)).toBe(expected)
  })
})

test("a table is a table from its first row on", () => {
  for (const text of ["| a | b", "| a | b |\n", "| a | b |\n|--", "| a | b |\n|---|---|\n| 1 | **2"]) {
    expect(html(text), text).toContain("<th>a</th>")
    expect(html(text), text).not.toContain("--")
  }
  expect(html("| a | b |\n|---|---|\n| 1 | **2")).toContain("<strong>2</strong>")
})

const DOCUMENT = `# A plan

Some **bold** text with \`code\`, *emphasis*, ~~a slip~~ and [a link](https://example.org/a).

- one **thing**
- another \`thing\`
  1. nested [link](https://example.org)
  2. more

| name | value |
| --- | ---: |
| **a** | \`1\` |
| b | 2 |

\`\`\`ts
const a = "**not bold**"
\`\`\`

> A quote with *weight*.

Done.`

test("no prefix of a document shows a mark that the whole one does not", () => {
  for (let end = 1; end <= DOCUMENT.length; end++) {
    const prefix = DOCUMENT.slice(0, end)
    const shown = html(prefix)
      .replace(/<pre>[\s\S]*?<\/pre>/g, "")
      .replace(/<[^>]*>/g, "")
    expect(shown, JSON.stringify(prefix.slice(-60))).not.toMatch(/\*|~~|`|\]\(|\||^#/m)
  }
})
