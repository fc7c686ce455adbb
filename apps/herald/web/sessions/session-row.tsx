import { useQueryClient } from "@tanstack/react-query"
import { type MouseEvent, type ReactElement, useEffect, useRef, useState } from "react"
import { api } from "../api/api.ts"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { navigate, pathOf } from "../app/router.ts"
import { t } from "../i18n/index.ts"
import { download, fileName } from "../ui/download.ts"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem } from "../ui/menu.tsx"
import { toast } from "../ui/toast.tsx"
import { dropSession, putSession, titleOf } from "./use-sessions.ts"

/** A chat in the list: open it, rename it in place, delete it and take that back. */
export function SessionRow({
  session,
  isOpen,
  onOpen,
}: {
  readonly session: SessionSummary
  readonly isOpen: boolean
  readonly onOpen: () => void
}): ReactElement {
  const { chats } = useShared()
  const client = useQueryClient()
  const [isRenaming, setRenaming] = useState(false)
  const { namespace } = session
  const title = titleOf(session) ?? t.sessions.untitled
  const place = { type: "chat", namespace } as const

  const fail = (error: unknown): void => {
    toast(error instanceof Error ? error.message : (t.errors["other"] ?? ""))
    void client.invalidateQueries({ queryKey: ["sessions"] })
  }
  const remove = async (): Promise<void> => {
    dropSession(client, namespace)
    if (isOpen) navigate({ type: "new" })
    try {
      await api.remove(namespace)
      chats.forget(namespace)
      toast(t.sessions.deleted(title), {
        label: t.undo,
        run: () => {
          api.restore(namespace).then((restored) => {
            putSession(client, restored)
            if (isOpen) navigate(place)
          }, fail)
        },
      })
    } catch (error) {
      fail(error)
    }
  }
  const rename = async (next: string): Promise<void> => {
    setRenaming(false)
    if (next.trim() === title) return
    try {
      putSession(client, await api.rename(namespace, next))
      void client.invalidateQueries({ queryKey: ["sessions"] })
    } catch (error) {
      fail(error)
    }
  }
  const save = async (format: "md" | "json"): Promise<void> => {
    try {
      // Seldom needed, so not part of what every visit loads.
      const { chatAsJson, chatAsMarkdown } = await import("../chat/export.ts")
      const text = await (format === "md" ? chatAsMarkdown(namespace, title) : chatAsJson(namespace))
      download(text, fileName(title, format), format === "md" ? "text/markdown" : "application/json")
    } catch (error) {
      fail(error)
    }
  }
  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    navigate(place)
    onOpen()
  }

  if (isRenaming)
    return (
      <TitleField title={title} onDone={(next) => void rename(next)} onCancel={() => setRenaming(false)} />
    )
  return (
    <div className={isOpen ? "session open" : "session"}>
      <a
        href={pathOf(place)}
        className="session-link"
        aria-current={isOpen ? "page" : undefined}
        title={title}
        onClick={open}
        onDoubleClick={() => setRenaming(true)}
      >
        <span className="session-title">{title}</span>
        {session.openRun !== undefined && (
          <span className="running">
            <span className="off-screen">{t.sessions.running}</span>
          </span>
        )}
      </a>
      <Menu
        align="end"
        trigger={
          <button type="button" className="icon-button session-menu" aria-label={t.sessions.options(title)}>
            <Icon name="more" size={18} />
          </button>
        }
      >
        <MenuItem
          icon="edit"
          label={t.sessions.rename}
          onSelect={() => setTimeout(() => setRenaming(true))}
        />
        <MenuItem icon="download" label={t.sessions.markdown} onSelect={() => void save("md")} />
        <MenuItem icon="download" label={t.sessions.json} onSelect={() => void save("json")} />
        <MenuItem icon="trash" label={t.sessions.delete} isDanger onSelect={() => void remove()} />
      </Menu>
    </div>
  )
}

function TitleField({
  title,
  onDone,
  onCancel,
}: {
  readonly title: string
  readonly onDone: (title: string) => void
  readonly onCancel: () => void
}): ReactElement {
  const field = useRef<HTMLInputElement>(null)
  const isOver = useRef(false)
  useEffect(() => field.current?.select(), [])
  const finish = (how: () => void): void => {
    // Leaving the field after Enter or Escape would count as a second answer.
    if (isOver.current) return
    isOver.current = true
    how()
  }
  return (
    <input
      ref={field}
      className="session-rename"
      aria-label={t.sessions.renameLabel}
      defaultValue={title}
      maxLength={200}
      onBlur={(event) => finish(() => onDone(event.target.value))}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return
        const { value } = event.currentTarget
        if (event.key === "Enter") finish(() => onDone(value))
        if (event.key === "Escape") {
          event.stopPropagation()
          finish(onCancel)
        }
      }}
    />
  )
}
