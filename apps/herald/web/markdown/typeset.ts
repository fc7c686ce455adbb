import katex from "katex"

/** An element of MathML: one of a known few, with attributes that only say how it looks. */
export interface MathElement {
  readonly tag: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (MathElement | string)[]
}

/** Longer or deeper than anything that is read; more would be felt. */
const MAX_LENGTH = 5_000
const MAX_DEPTH = 120
const MAX_ELEMENTS = 5_000

const TAGS = new Set(
  (
    "math semantics annotation mrow mi mn mo ms mtext mspace msub msup msubsup munder mover munderover mfrac " +
    "msqrt mroot mtable mtr mlabeledtr mtd mstyle mpadded mphantom menclose"
  ).split(" "),
)
const ATTRIBUTES = new Set(
  (
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle encoding fence height " +
    "largeop linethickness lspace mathcolor mathbackground mathsize mathvariant maxsize minsize notation rowlines " +
    "rowspacing rspace scriptlevel separator stretchy symmetric movablelimits valign voffset width"
  ).split(" "),
)

/** With macros of its own, a few characters can grow without end. */
const DEFINITION =
  /(?<!\\)(?:\\\\)*\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand|global|long)(?![a-zA-Z@])/

/** The formula as MathML, or undefined when the TeX has an error in it or asks for too much. */
export function typeset(tex: string, isDisplay: boolean): MathElement | undefined {
  if (tex.length > MAX_LENGTH || DEFINITION.test(tex) || isTooDeep(tex)) return undefined
  try {
    return read(
      katex.renderToString(tex, {
        displayMode: isDisplay,
        output: "mathml",
        trust: false,
        strict: "ignore",
        // An error is caught here, and the source shown: it would be a text with a style attribute.
        throwOnError: true,
        maxExpand: 300,
        maxSize: 20,
      }),
    )
  } catch {
    return undefined
  }
}

/** Before anything recursive sees it. */
function isTooDeep(tex: string): boolean {
  let depth = 0
  for (const { 0: mark } of tex.matchAll(/[{}]/g)) {
    depth += mark === "{" ? 1 : -1
    if (depth > MAX_DEPTH) return true
  }
  return false
}

/** Reads what KaTeX wrote, and takes only what is known. Its texts and attributes are escaped, so this is all of it. */
function read(markup: string): MathElement | undefined {
  const root: { children: (MathElement | string)[] } = { children: [] }
  const open = [root]
  let count = 0
  for (const [, text, end, tag = "", attributes = "", empty] of markup.matchAll(
    /([^<]+)|<(\/?)([a-zA-Z]+)((?:\s[a-zA-Z:-]+="[^"]*")*)\s*(\/?)>/g,
  )) {
    if (text !== undefined) {
      open.at(-1)?.children.push(decode(text))
    } else if (tag === "span") {
      // KaTeX's own wrapping.
    } else if (end) {
      open.pop()
    } else {
      if (!TAGS.has(tag) || ++count > MAX_ELEMENTS || open.length > MAX_DEPTH) return undefined
      const element = { tag, attributes: known(attributes), children: [] }
      open.at(-1)?.children.push(element)
      if (!empty) open.push(element)
    }
  }
  const [math] = root.children
  return typeof math === "object" && math.tag === "math" && open.length === 1 ? math : undefined
}

const known = (attributes: string): Record<string, string> =>
  Object.fromEntries(
    [...attributes.matchAll(/\s([a-zA-Z:-]+)="([^"]*)"/g)]
      .map(([, name = "", value = ""]) => [name, decode(value)] as const)
      .filter(([name, value]) => ATTRIBUTES.has(name) && !reachesOut(name, value)),
  )

/** A long way back or up would lay the formula over what stands before it. */
const reachesOut = (name: string, value: string): boolean => {
  const length = Number.parseFloat(value)
  return length <= -1 || (name === "voffset" && length > 1)
}

const CHARACTERS: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#x27;": "'",
}
const decode = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (reference) => CHARACTERS[reference] ?? reference)
