import {
  createHighlighterCore,
  type HighlighterCore,
  type LanguageInput,
  type ThemeRegistration,
} from "shiki/core"
import { createJavaScriptRegexEngine } from "shiki/engine/javascript"
import { languageOf, loaderOf } from "./languages.ts"

/** A piece of code and the class that colours it; undefined is plain text. */
export interface Piece {
  readonly text: string
  readonly className?: string
}

/**
 * Each kind of token gets a colour that stands for a class: the page's rules forbid styles in markup, and classes
 * follow the theme without colouring again.
 */
const KINDS: readonly (readonly [string, string, readonly string[]])[] = [
  ["#000001", "hl-comment", ["comment", "punctuation.definition.comment"]],
  ["#000002", "hl-string", ["string", "markup.inline.raw", "constant.character.escape", "string.regexp"]],
  [
    "#000003",
    "hl-keyword",
    ["keyword", "storage", "keyword.operator.new", "variable.language", "markup.heading"],
  ],
  ["#000004", "hl-number", ["constant.numeric", "constant.language", "support.constant", "constant.other"]],
  ["#000005", "hl-function", ["entity.name.function", "support.function", "meta.function-call.generic"]],
  [
    "#000006",
    "hl-type",
    ["entity.name.type", "entity.name.class", "support.type", "support.class", "entity.name.tag"],
  ],
  [
    "#000007",
    "hl-name",
    [
      "entity.other.attribute-name",
      "variable.parameter",
      "support.type.property-name",
      "meta.object-literal.key",
      "entity.name.section.group-title",
    ],
  ],
  ["#000008", "hl-inserted", ["markup.inserted"]],
  ["#000009", "hl-deleted", ["markup.deleted"]],
]

const CLASSES: ReadonlyMap<string, string> = new Map(KINDS.map(([color, className]) => [color, className]))

const THEME: ThemeRegistration = {
  name: "herald",
  type: "light",
  fg: "#000000",
  bg: "#ffffff",
  settings: [
    { settings: { foreground: "#000000" } },
    ...KINDS.map(([foreground, , scope]) => ({ scope: [...scope], settings: { foreground } })),
    { scope: ["keyword.operator", "storage.type.function.arrow"], settings: { foreground: "#000000" } },
  ],
}

/** Colouring more than this would be felt while typing. */
const MAX_LENGTH = 60_000

let highlighter: Promise<HighlighterCore> | undefined
const loading = new Map<string, Promise<void>>()

/** The code in coloured pieces, line by line; undefined when it stays plain. */
export async function highlight(
  code: string,
  name: string,
): Promise<readonly (readonly Piece[])[] | undefined> {
  const language = languageOf(name)
  const load = language === undefined ? undefined : loaderOf(language)
  if (language === undefined || !load || code.length > MAX_LENGTH) return undefined
  highlighter ??= createHighlighterCore({
    themes: [THEME],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  })
  const ready = await highlighter
  let loaded = loading.get(language)
  if (!loaded) {
    loaded = load().then((module) => ready.loadLanguage(module.default as LanguageInput))
    loading.set(language, loaded)
    loaded.catch(() => loading.delete(language))
  }
  await loaded
  const { tokens } = ready.codeToTokens(code, { lang: language, theme: "herald" })
  return tokens.map((line) =>
    line.map(({ content, color }) => {
      const className = CLASSES.get(color?.toLowerCase() ?? "")
      return { text: content, ...(className !== undefined && { className }) }
    }),
  )
}
