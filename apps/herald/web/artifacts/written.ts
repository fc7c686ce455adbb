import type { Token, Tokens } from "marked"
import type { AnswerItem, AnswerPart, Call } from "../chat/items.ts"
import { blocksOf } from "../markdown/blocks.ts"
import { fenceInfo } from "../markdown/fence-info.ts"

/** Something that an answer wrote: a block of code, a file, or a change of a file. */
export type Written = WrittenCode | WrittenEdit

export interface WrittenCode {
  readonly type: "code"
  readonly code: string
  readonly language: string
  /** The file or the name that was given with it. */
  readonly name?: string
  /** The call of the tool that wrote it to a file. */
  readonly callId?: string
  /** More of it is coming. */
  readonly isGrowing: boolean
}

export interface WrittenEdit {
  readonly type: "edit"
  readonly path: string
  readonly from: string
  readonly to: string
  readonly isEverywhere: boolean
  readonly callId: string
}

type CallPart = Extract<AnswerPart, { readonly type: "tool_call" }>

/** Tools that write files. */
export const WRITES = /^(?:write|edit)_file$/

/**
 * All that an answer has written so far, in the order in which it stands there. A call that was not carried out, or not yet,
 * has its place too: places do not change while the answer grows.
 */
export const writtenIn = ({ messages, calls, end }: AnswerItem): readonly (Written | undefined)[] =>
  messages.flatMap(({ parts, status }) =>
    parts.flatMap((part, index): readonly (Written | undefined)[] => {
      if (part.type === "text")
        return codesIn(part.text, status === "writing" && !end && index === parts.length - 1)
      return part.type === "tool_call" && WRITES.test(part.name) ? [fileOf(part, calls[part.id])] : []
    }),
  )

function codesIn(text: string, isGrowing: boolean): readonly WrittenCode[] {
  const blocks = blocksOf(text)
  return blocks.flatMap(({ token }, block) => {
    const codes = codeTokens([token])
    const isLast = (index: number): boolean => block === blocks.length - 1 && index === codes.length - 1
    return codes.map(({ text: code, lang, raw }, index) => ({
      type: "code",
      code,
      ...fenceInfo(lang),
      isGrowing: isGrowing && isLast(index) && !CLOSED.test(raw.trimEnd()),
    }))
  })
}

const CLOSED = /\n[ \t]*(?:`{3,}|~{3,})$/

const codeTokens = (tokens: readonly Token[]): readonly Tokens.Code[] =>
  tokens.flatMap((token) => {
    if (token.type === "code") return [token as Tokens.Code]
    const { items = [], tokens: inner = [] } = token as Tokens.Generic
    return codeTokens([...(items as readonly Token[]), ...inner])
  })

function fileOf(part: CallPart, call: Call | undefined): Written | undefined {
  if (call?.result?.part.status !== "ok") return undefined
  const args = call.intent?.arguments ?? part.arguments ?? {}
  const { path, content, old_string: from, new_string: to } = args
  if (typeof path !== "string") return undefined
  const callId = part.id
  if (typeof content === "string") {
    const language = /\.([^./\\]+)$/.exec(path)?.[1] ?? ""
    return { type: "code", code: content, language, name: path, callId, isGrowing: false }
  }
  if (typeof from !== "string" || typeof to !== "string") return undefined
  return { type: "edit", path, from, to, isEverywhere: args["replace_all"] === true, callId }
}
