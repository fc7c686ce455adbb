import DOMPurify from "dompurify"
import { safeHref } from "./safe-link.ts"

const ALLOWED = [
  "p",
  "br",
  "hr",
  "b",
  "i",
  "em",
  "strong",
  "s",
  "u",
  "del",
  "ins",
  "sub",
  "sup",
  "kbd",
  "mark",
  "small",
  "code",
  "pre",
  "blockquote",
  "ul",
  "ol",
  "li",
  "dl",
  "dt",
  "dd",
  "table",
  "thead",
  "tbody",
  "tfoot",
  "tr",
  "th",
  "td",
  "caption",
  "details",
  "summary",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "a",
  "abbr",
  "q",
  "cite",
  "div",
  "span",
]

const purify = DOMPurify(window)

purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName !== "A") return
  const href = safeHref(node.getAttribute("href") ?? "")
  if (href === undefined) return node.removeAttribute("href")
  node.setAttribute("href", href)
  node.setAttribute("target", "_blank")
  node.setAttribute("rel", "noopener noreferrer")
})

/**
 * HTML that a model wrote, as inert HTML: text and structure, nothing that runs, loads, styles, submits or takes an
 * id of the page.
 */
export const sanitize = (html: string): string =>
  purify.sanitize(html, {
    ALLOWED_TAGS: ALLOWED,
    ALLOWED_ATTR: [
      "href",
      "title",
      "open",
      "colspan",
      "rowspan",
      "start",
      "reversed",
      "align",
      "lang",
      "dir",
    ],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  })
