import { createContext, useCallback, useEffect, useRef } from "react"
import { openBeside } from "../app/router.ts"
import type { AnswerItem } from "../chat/items.ts"
import { type WrittenCode, writtenIn } from "./written.ts"

/** What was pressed: a block of code as it is shown, or the call that wrote a file. */
export type Meant = Pick<WrittenCode, "code" | "language"> | { readonly callId: string }

/** Opens what an answer wrote beside the chat. Undefined where there is no chat that it stands in. */
export const OpenContext = createContext<((meant: Meant) => void) | undefined>(undefined)

/** The function is the same for as long as the answer is shown, so that its blocks need no new rendering. */
export function useOpen(answer: AnswerItem, namespace: string): (meant: Meant) => void {
  const current = useRef(answer)
  useEffect(() => {
    current.current = answer
  })
  return useCallback(
    (meant) => {
      const index = placeOf(current.current, meant)
      if (index >= 0) openBeside({ namespace, seq: current.current.seq, block: index + 1 })
    },
    [namespace],
  )
}

function placeOf(answer: AnswerItem, meant: Meant): number {
  const all = writtenIn(answer)
  if ("callId" in meant) return all.findIndex((written) => written?.callId === meant.callId)
  const codes = all.map((written) => {
    const isBlock = written?.type === "code" && written.callId === undefined
    return isBlock && written.language === meant.language ? written.code : undefined
  })
  const index = codes.indexOf(meant.code)
  // More of it may have come since it was shown.
  return index >= 0 ? index : codes.findLastIndex((code) => code?.startsWith(meant.code))
}
