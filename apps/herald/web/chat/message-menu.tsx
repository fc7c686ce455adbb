import type { ReactElement } from "react"
import { api } from "../api/api.ts"
import { navigate, pathOf } from "../app/router.ts"
import { t } from "../i18n/index.ts"
import { copyText } from "../ui/copy-button.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem } from "../ui/menu.tsx"
import { toast } from "../ui/toast.tsx"
import type { ChatStore } from "./chat-store.ts"

const fail = (error: Error): void => toast(error.message)

/** What else one can do with a message. A long press on it opens this too. */
export function MessageMenu({
  store,
  seq,
  text,
  canFork = false,
  canUndo,
}: {
  readonly store: ChatStore
  /** An entry of the message. */
  readonly seq: number
  readonly text: () => string
  /** It is a finished answer. */
  readonly canFork?: boolean
  /** It belongs to the newest turn, and nothing is being answered. */
  readonly canUndo: boolean
}): ReactElement {
  const { namespace } = store
  const copied = (text: string): void => void copyText(text).then(() => toast(t.copied), fail)
  const undo = (): void => {
    api
      .undo(namespace)
      .then(
        ({ redo }) => toast(t.chat.undone, { label: t.chat.redo, run: () => void store.switchBranch(redo) }),
        fail,
      )
  }
  const fork = (): void => {
    api.fork(namespace, seq).then((made) => {
      navigate({ type: "chat", namespace: made.namespace })
      toast(t.chat.forked)
    }, fail)
  }
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="icon-button message-more"
          aria-label={t.chat.more}
          data-tip={t.chat.more}
        >
          <Icon name="more" size={18} />
        </button>
      }
    >
      <MenuItem icon="copy" label={t.chat.copyMessage} onSelect={() => copied(text())} />
      <MenuItem
        icon="link"
        label={t.chat.copyLink}
        onSelect={() => copied(`${location.origin}${pathOf({ type: "chat", namespace, seq })}`)}
      />
      {canFork && <MenuItem icon="branch" label={t.chat.fork} onSelect={fork} />}
      {canUndo && <MenuItem icon="undo" label={t.chat.undoTurn} onSelect={undo} />}
    </Menu>
  )
}
