import fc from "fast-check"
import { expect, test } from "vitest"
import { toMarkdown } from "./html-to-markdown.ts"
import { htmlToMarkdown } from "./reading.ts"

const url = "https://a.example/dir/page"
const markdown = (html: string) => toMarkdown(html, url).markdown

test.each([
  ["headings", "<h1>One</h1><h3>Three <em>three</em></h3>text", "# One\n\n### Three *three*\n\ntext"],
  ["paragraphs", "<P>Hi</P><P>There</P><p>un<p>closed", "Hi\n\nThere\n\nun\n\nclosed"],
  ["white space", "<p>  a \n\t b&nbsp;c<b> d </b>e</p>", "a b c **d** e"],
  ["line breaks", "a<br>b<br/><br>c</br>d", "a\nb\nc\nd"],
  ["emphasis", "<b>a</b><i>b</i><s>c</s><strong><b>d</b></strong><b></b>", "**a***b*~~c~~**d**"],
  ["emphasis around blocks", "<b><p>a</p><p>b</b> c</p>d", "a\n\nb\n\nc\n\nd"],
  ["lists", "<ul><li>a<li>b<ul><li>c</ul><li>d</ul>e", "- a\n- b\n  - c\n- d\n\ne"],
  ["numbered lists", "<ol start=9><li>a<li><p>b<p>c</ol>", "9. a\n10. b\n\n    c"],
  ["quotes", "<blockquote>a<p>b<blockquote>c</blockquote></blockquote>d", "> a\n>\n> b\n>\n> > c\n\nd"],
  ["quotes in items", "<ul><li><blockquote>a</blockquote>b</ul>", "- > a\n\n  b"],
  ["code", "<code>a_*b</code> <kbd>`</kbd><code></code>", "`a_*b` `` ` ``"],
  [
    "code blocks",
    "<pre><code class='hljs language-ts'>\nlet a\n\n  = `1`\n</code></pre>x",
    "```ts\nlet a\n\n  = `1`\n```\n\nx",
  ],
  ["fences in code", "<pre>```\na\n````</pre>", "`````\n```\na\n````\n`````"],
  ["code in items", "<ul><li>a<pre>b\nc</pre></ul>", "- a\n\n  ```\n  b\n  c\n  ```"],
  ["rules", "a<hr>b", "a\n\n---\n\nb"],
  [
    "tables",
    "<table><caption>cap</caption><thead><tr><th>a<th>b|c</thead><tr><td>1<td><p>2<p>3<tr><td><td>4<tr><td></table>z",
    "cap\n| a | b\\|c |\n| --- | --- |\n| 1 | 2 3 |\n| | 4 |\n\nz",
  ],
  [
    "layout tables",
    "<table><tr><td>nav<td><h2>Title</h2><ul><li>x</ul><table><tr><td>1<td>2</table></table>",
    "nav\n\n## Title\n\n- x\n\n| 1 | 2 |\n| --- | --- |",
  ],
  [
    "stray ends of cells",
    "<div><table><tr><td>a</div></p>b<td>c</table>d</div>",
    "| ab | c |\n| --- | --- |\n\nd",
  ],
  [
    "links",
    "<a href='x?a=1&amp;b=2#c'>t <b>u</b></a> <a href=//b.example>v</a>",
    "[t **u**](https://a.example/dir/x?a=1&b=2#c) [v](https://b.example/)",
  ],
  ["links with brackets", "<a href='/a_(b) c'>[t]</a>", "[\\[t\\]](https://a.example/a_%28b%29%20c)"],
  [
    "links that go nowhere",
    "<a href='javascript:x()'>a</a> <a href='data:,x'>b</a> <a href='#c'>c</a> <a href='http://['>d</a> <a href='https://u:p@x/'>e</a> <a>f</a>",
    "a b c d e f",
  ],
  [
    "links around blocks",
    "<a href=/x><h3>Card</h3><p>text</p></a><p>after",
    "### [Card text](https://a.example/x)\n\nafter",
  ],
  [
    "links not closed",
    "<a href=/x>a <a href=/y>b<p>c</p></a>d",
    "[a](https://a.example/x) [b c](https://a.example/y)\n\nd",
  ],
  ["a base", "<base href=/other/><base href=/not/><a href=x>a</a>", "[a](https://a.example/other/x)"],
  ["images", "<img src=x alt='a *cat*'><img src=y><img alt=z hidden>", "(image: a \\*cat\\*)"],
  [
    "what looks like Markdown",
    "<p># a<p>- b<p>1. c<p>&gt; d<p>*e* _f_ g_h [i](j) `k` \\l<p>--- ",
    "\\# a\n\n\\- b\n\n1\\. c\n\n\\> d\n\n\\*e\\* \\_f\\_ g_h \\[i\\](j) \\`k\\` \\\\l\n\n\\---",
  ],
  ["headings without an end", "<h1>a<div>b</div><p>c</p>d", "# a b\n\nc\n\nd"],
  ["nothing", "", ""],
])("%s", (_what, html, expected) => {
  expect(markdown(html)).toBe(expected)
})

test.each([
  ["a script after a script", "a<script>x('</p>')</script><script>y()</script>b", "ab"],
  ["an end tag with a space", "a<script>x</script >b", "ab"],
  ["an end tag in capitals", "a<SCRIPT>x</ScRiPt\n>b", "ab"],
  ["text with a less-than sign", "<p>a < b and c<d> e</p>", "a \\< b and c e"],
  ["letters that grow in lower case", "İİİ<script>x</script>İ", "İİİİ"],
  ["an entity of an entity", "&amp;lt; &amp;amp; &#38;gt; &notit;", "&lt; &amp; &gt; ¬it;"],
  ["a comment with tags", "a<!-- <p>x</p> --><!---->b<!-- unclosed", "ab"],
  ["self-closed scripts", "a<script/>x</script>b", "ab"],
  ["a script that writes a script", "a<script>w('<script>x<\\/script>')</script>b", "ab"],
  [
    "styles, templates, frames, drawings",
    "<style>x</style><template>x<p>x</template><iframe>x</iframe><svg><title>x</title><text>x</text></svg><noframes>x</noframes><select><option>x</select><textarea>x</textarea>a",
    "a",
  ],
  [
    "hidden elements",
    "<div hidden>x<p>x<div>x</div></div>a<p style='DISPLAY:none'>x</p><p style='a:b;visibility: hidden'>x</p><dialog>x</dialog><dialog open>b</dialog>",
    "a\nb",
  ],
  ["hidden elements around others", "<div hidden><b>x</div>a<span hidden><p>x</p>x</span>b", "ab"],
  ["a title where none belongs", "<pre>a<title><p>x</title>b</pre>", "```\nab\n```"],
  ["a cut page", "<p>a<a href='x", "a"],
])("reads %s as a browser does", (_what, html, expected) => {
  expect(markdown(html)).toBe(expected)
})

test("of a page, the title is one line and there is nothing invisible; what was asked for is kept, the rest counted", async () => {
  const read = async (html: string, limit?: number) =>
    await htmlToMarkdown(html, { baseUrl: new URL(url), ...(limit && { limit }) })
  const page = await read(
    "<svg><title>no</title></svg><title> A &lt;b>\n c\u202e&#x200b;</title><title>no</title>a\u0000b<p\u0000>&#x200b;c",
  )
  expect(page).toEqual({ title: "A <b> c", markdown: "ab\n\nc", total: 5 })
  expect(await read(`<title>${"🎈".repeat(300)}</title>`)).toMatchObject({
    title: "🎈".repeat(200),
    total: 0,
  })
  expect(await read("<p>🎈 word</p>".repeat(1_000), 8)).toEqual({
    title: "",
    markdown: "🎈 word\n\n",
    total: 7_998,
  })
})

const TAGS =
  "a b i p div span ul ol li table tbody tr td th caption h1 h6 pre code blockquote br hr img dl dd section q form".split(
    " ",
  )

test("in any soup of tags no text is lost, and none is there twice", () => {
  const tag = fc.constantFrom(...TAGS)
  const piece = fc.oneof(
    tag.map((name) => `<${name}>`),
    tag.map((name) => `</${name}>`),
    fc.constantFrom("<a href=/x>", "<ol start=7>", "<!-- -->", " ", "< ", ">", "&", "&lt", '"', "|"),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const words = pieces.map((_, index) => `w${index}.`)
      const html = pieces.map((piece, index) => `${piece}${words[index]}`).join("")
      expect(markdown(html).match(/w\d+\./g) ?? []).toEqual(words)
    }),
  )
})

test("a hidden element stays hidden in whatever it stands", () => {
  const tag = fc.constantFrom(..."a b p div ul li table tr td h1 blockquote span".split(" "))
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 20 }), (names) => {
      const html = `${names.map((name) => `<${name}>`).join("x")}<div hidden>SECRET<b>SECRET</b><p>SECRET</p></div>`
      expect(markdown(html)).not.toContain("SECRET")
    }),
  )
})

test.each([
  "div",
  "b",
  "blockquote",
  "ul><li",
  "table><tr><td",
  "font",
  "a href=x",
  "svg",
  "span hidden",
  "x",
])("fifty thousand nested <%s> overflow nothing", (tag) => {
  const open = `<${tag}>`.repeat(50_000)
  expect(markdown(`<p>before</p>${open}`)).toBe("before")
  expect(markdown(`${open}deep${`</${tag.split(/\W/)[0]}>`.repeat(50_000)}<p>after`).length).toBeLessThan(300)
})
