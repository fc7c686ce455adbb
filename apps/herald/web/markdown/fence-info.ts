/** What stands behind the opening fence of a block: its language, and the name of what is in it. */
export interface FenceInfo {
  readonly language: string
  readonly name?: string
}

const NAMED = /\s(?:title|file(?:name)?|name|path)=(?:"([^"]+)"|'([^']+)'|(\S+))/i

/** Whether a text is the name or the path of a file, and nothing else. */
export const isFileName = (text: string): boolean => /^[\w.@/\\-]*\w\.[a-z]\w{0,9}$/i.test(text)

/** Reads `ts`, `ts src/app.ts`, `ts:src/app.ts` and `ts title="src/app.ts"`. */
export function fenceInfo(info: string | undefined): FenceInfo {
  const text = info?.trim() ?? ""
  const [first = "", ...rest] = text.split(/\s+/)
  const [, language = first, path] = /^([\w+#-]+):(\S+)$/.exec(first) ?? []
  const [, ...named] = NAMED.exec(text) ?? []
  const name = named.find((found) => found !== undefined) ?? path ?? rest.find(isFileName)
  return name === undefined ? { language } : { language, name }
}
