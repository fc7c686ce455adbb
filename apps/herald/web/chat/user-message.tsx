import type { Fork, UserPart } from "@orra/core"
import { memo, type ReactElement, useEffect, useRef, useState } from "react"
import { isSendKey } from "../app/storage.ts"
import { formatFullTime, formatTime, t } from "../i18n/index.ts"
import { Markdown } from "../markdown/markdown.tsx"
import { Button, IconButton } from "../ui/button.tsx"
import { CopyButton } from "../ui/copy-button.tsx"
import { Icon } from "../ui/icons.tsx"
import { Attachment } from "./attachment.tsx"
import { Branches } from "./branches.tsx"
import type { ChatStore } from "./chat-store.ts"
import type { UserItem } from "./items.ts"
import { MessageMenu } from "./message-menu.tsx"
import { attachmentsOf, textOf } from "./parts.ts"

/** What a person wrote, as they wrote it. */
export const UserMessage = memo(function UserMessage({
  item,
  store,
  fork,
  isLast,
  isBusy,
  isEditing,
  onEdit,
}: {
  readonly item: UserItem
  readonly store: ChatStore
  readonly fork: Fork | undefined
  readonly isLast: boolean
  readonly isBusy: boolean
  readonly isEditing: boolean
  readonly onEdit: (seq: number | undefined) => void
}): ReactElement {
  const { message, at, seq } = item
  if (message.origin?.kind === "schedule") return <Notice item={item} />
  if (message.origin?.kind === "host") return <p className="marker">{t.chat.continued}</p>
  if (isEditing) {
    return (
      <Editor
        parts={message.parts}
        onCancel={() => onEdit(undefined)}
        onSend={async (parts) => {
          // What was written stays until it has arrived.
          if (await store.edit(seq, parts)) onEdit(undefined)
        }}
      />
    )
  }
  return (
    <article className="message user" aria-label={message.origin?.name ?? t.chat.you}>
      <h2 className="off-screen">{message.origin?.name ?? t.chat.you}</h2>
      <UserParts parts={message.parts} />
      <footer className="message-foot">
        <time className="message-time" dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
          {formatTime(at)}
        </time>
        <CopyButton text={() => textOf(message.parts)} label={t.chat.copyMessage} />
        <IconButton icon="edit" size={18} label={t.chat.edit} onClick={() => onEdit(seq)} />
        <MessageMenu store={store} seq={seq} text={() => textOf(message.parts)} canUndo={isLast && !isBusy} />
        {fork && (
          <Branches fork={fork} isDisabled={isBusy} onSwitch={(tip) => void store.switchBranch(tip)} />
        )}
      </footer>
    </article>
  )
})

/** What a scheduled job had to say. Before its text stands, for the model, what it is. */
function Notice({ item: { message, at } }: { readonly item: UserItem }): ReactElement {
  const text = textOf(message.parts.slice(-1))
  return (
    <article className="message notice">
      <h2 className="notice-name">
        <Icon name="clock" size={16} />
        {message.origin?.name}
      </h2>
      <Markdown text={text} isGrowing={false} />
      <footer className="message-foot">
        <time className="message-time" dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
          {formatTime(at)}
        </time>
        <CopyButton text={() => text} label={t.chat.copyMessage} />
      </footer>
    </article>
  )
}

export const UserParts = ({ parts }: { readonly parts: readonly UserPart[] }): ReactElement => {
  const text = textOf(parts)
  const attachments = attachmentsOf(parts)
  return (
    <>
      {attachments.length > 0 && (
        <div className="attachments">
          {attachments.map((part, index) => (
            <Attachment key={index} part={part} />
          ))}
        </div>
      )}
      {text !== "" && (
        <div className="bubble" dir="auto">
          {text}
        </div>
      )}
    </>
  )
}

function Editor({
  parts,
  onCancel,
  onSend,
}: {
  readonly parts: readonly UserPart[]
  readonly onCancel: () => void
  readonly onSend: (parts: readonly UserPart[]) => Promise<void>
}): ReactElement {
  const [text, setText] = useState(() => textOf(parts))
  const [isSending, setSending] = useState(false)
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    field.current?.focus()
    field.current?.setSelectionRange(field.current.value.length, field.current.value.length)
  }, [])
  const attachments = attachmentsOf(parts)
  const isEmpty = text.trim() === "" && attachments.length === 0
  const send = (): void => {
    if (isEmpty || isSending) return
    setSending(true)
    void onSend([...attachments, ...(text.trim() === "" ? [] : [{ type: "text", text } as const])]).finally(
      () => setSending(false),
    )
  }
  return (
    <form
      className="message editor"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <UserParts parts={attachments} />
      <textarea
        ref={field}
        value={text}
        rows={3}
        aria-label={t.chat.editLabel}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === "Escape") {
            event.stopPropagation()
            onCancel()
          } else if (isSendKey(event)) {
            event.preventDefault()
            send()
          }
        }}
      />
      <div className="editor-foot">
        <span className="hint">{t.chat.editNote}</span>
        <Button look="quiet" onClick={onCancel}>
          {t.cancel}
        </Button>
        <Button look="primary" type="submit" disabled={isEmpty || isSending}>
          {t.chat.sendEdited}
        </Button>
      </div>
    </form>
  )
}
