import { decodeEntities } from "../markdown/entities.ts"
import { isFileName } from "../markdown/fence-info.ts"
import { languageOf } from "../markdown/languages.ts"

/** A first line that is a comment with nothing but the name of the file in it. */
const COMMENT = /^(?:#|\/\/|--|;|\/\*|<!--)[ \t]*(\S+)[ \t]*(?:\*\/|-->)?\r?\n/

/** The file that a code says it is, in its first line. */
export function fileNameIn(code: string): string | undefined {
  const name = COMMENT.exec(code)?.[1]
  // `# numpy.array` is none.
  const isFile = name !== undefined && isFileName(name) && languageOf(name.replace(/^.*\./, "")) !== undefined
  return isFile ? name : undefined
}

const TITLES: Readonly<Record<string, readonly RegExp[]>> = {
  html: [/<title\b[^>]*>([^<]+)<\/title>/i, /<h1\b[^>]*>([\s\S]+?)<\/h1>/i],
  svg: [/<title\b[^>]*>([^<]+)<\/title>/i],
  markdown: [/^ {0,3}#{1,6}[ \t]+(\S.*?)(?:[ \t]+#+)?[ \t]*\r?\n/m],
  mermaid: [/^[ \t]*(?:pie[ \t]+(?:showData[ \t]+)?)?(?:title|accTitle)(?:[ \t]*:|[ \t])[ \t]*(\S.*)\n/m],
}

const LONGEST = 120

/** The title that a document has in it. Half of a line, while it is still being written, is no title. */
export function titleIn(code: string, language: string): string | undefined {
  for (const pattern of TITLES[language] ?? []) {
    const found = pattern.exec(code)?.[1]
    if (found === undefined) continue
    const text = decodeEntities(found.replaceAll(/<[^>]*>/g, " "))
      .replaceAll(/\s+/g, " ")
      .trim()
    if (text !== "") return [...text].slice(0, LONGEST).join("")
  }
  return undefined
}
