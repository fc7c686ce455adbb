import { visibleText } from "@orra/core"

/** What a page is made of, in order. */
export interface HtmlHandler {
  open(name: string, attributes: ReadonlyMap<string, string>): void
  close(name: string): void
  text(text: string): void
}

/** More of an attribute than this is data, not something to read. */
const MAX_ATTRIBUTE = 4_000

/**
 * Reads HTML in one pass and tells the handler of each tag and text, entities decoded. No tree is built: what a page
 * nests, it nests at its own cost. Comments and declarations are left out.
 *
 * @param wanted The attributes that are kept, by lower-case name.
 */
export async function readHtml(
  html: string,
  wanted: ReadonlySet<string>,
  handler: HtmlHandler,
): Promise<void> {
  const { Tokenizer } = await import("htmlparser2")
  let name = ""
  let attribute = ""
  let value = ""
  let attributes = new Map<string, string>()
  const opened = () => handler.open(name, attributes)
  const nothing = () => {}
  const tokenizer = new Tokenizer(
    {},
    {
      onopentagname(start, end) {
        name = html.slice(start, end).toLowerCase()
        if (attributes.size > 0) attributes = new Map()
      },
      onattribname(start, end) {
        attribute = end - start > 32 ? "" : html.slice(start, end).toLowerCase()
        value = ""
      },
      onattribdata(start, end) {
        if (wanted.has(attribute) && value.length <= MAX_ATTRIBUTE) value += html.slice(start, end)
      },
      onattribentity(codePoint) {
        if (wanted.has(attribute) && value.length <= MAX_ATTRIBUTE) value += String.fromCodePoint(codePoint)
      },
      onattribend() {
        if (wanted.has(attribute) && !attributes.has(attribute)) attributes.set(attribute, value)
      },
      onopentagend: opened,
      onselfclosingtag: opened,
      onclosetag(start, end) {
        handler.close(html.slice(start, end).toLowerCase())
      },
      ontext(start, end) {
        handler.text(html.slice(start, end))
      },
      ontextentity(codePoint) {
        handler.text(visibleText(String.fromCodePoint(codePoint)))
      },
      oncdata: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onprocessinginstruction: nothing,
      onend: nothing,
    },
  )
  tokenizer.write(html)
  tokenizer.end()
}
