import type { ReactElement } from "react"
import type { ChatStore } from "../chat/chat-store.ts"
import type { AnswerPart, Call } from "../chat/items.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import type { Meant } from "./open.ts"

/** The way to a file that a tool has written. What was in a file that it only changed has to be known. */
export function OpenFile({
  part,
  call,
  store,
  onOpen,
}: {
  readonly part: Extract<AnswerPart, { readonly type: "tool_call" }>
  readonly call: Call | undefined
  readonly store: ChatStore
  readonly onOpen: (meant: Meant) => void
}): ReactElement | null {
  const path = (call?.intent?.arguments ?? part.arguments)?.["path"]
  if (typeof path !== "string" || call?.result?.part.status !== "ok") return null
  if (part.name === "edit_file" && !isWritten(store, path)) return null
  return (
    <Button look="quiet" className="open-file" onClick={() => onOpen({ callId: part.id })}>
      <Icon name="beside" size={16} />
      {t.code.openFile(path.replace(/^.*[/\\]/, ""))}
    </Button>
  )
}

const isWritten = (store: ChatStore, path: string): boolean =>
  store
    .state()
    .view.items.some(
      (item) =>
        item.type === "answer" &&
        item.messages.some(({ parts }) =>
          parts.some(
            (part) =>
              part.type === "tool_call" && part.name === "write_file" && part.arguments?.["path"] === path,
          ),
        ),
    )
