import { type ReactElement, useState } from "react"
import type { SessionSummary } from "../api/types.ts"
import { words } from "../i18n/en-folders.ts"
import { Button } from "../ui/button.tsx"
import { Dialog } from "../ui/dialog.tsx"
import { Field } from "../ui/field.tsx"
import { Icon, type IconName } from "../ui/icons.tsx"
import { useFolderActions } from "./folder-actions.ts"
import { type Folder, foldersApi } from "./folders-api.ts"
import { folderIdOf, useFolders } from "./use-folders.ts"
import "../styles/files.css"
import "../styles/folders.css"

/** Where chats are moved to: a folder, none, or one that is made for them. */
export default function MoveDialog({
  sessions,
  onMove,
  onClose,
}: {
  readonly sessions: readonly SessionSummary[]
  /** Called when it was said where to. */
  readonly onMove?: () => void
  readonly onClose: () => void
}): ReactElement {
  const { folders, find } = useFolders()
  const { move } = useFolderActions()
  const [problem, setProblem] = useState<string>()
  const [isMaking, setMaking] = useState(false)
  const here = new Set(sessions.map((session) => find(folderIdOf(session))?.id))
  const choose = (to: Folder | undefined): void => {
    onClose()
    onMove?.()
    void move(sessions, to)
  }
  const make = (name: string): void => {
    setMaking(true)
    foldersApi.create({ name }).then(
      ({ folder }) => choose(folder),
      (error: Error) => {
        setProblem(error.message)
        setMaking(false)
      },
    )
  }
  const place = (
    id: string | undefined,
    icon: IconName,
    name: string,
    to: Folder | undefined,
  ): ReactElement => {
    const isHere = here.size === 1 && here.has(id)
    return (
      <li key={id ?? ""}>
        <button
          type="button"
          className="directory"
          aria-current={isHere || undefined}
          onClick={() => choose(to)}
        >
          <Icon name={icon} size={18} />
          <span dir="auto">{name}</span>
          {isHere && <Icon name="check" size={16} />}
        </button>
      </li>
    )
  }
  return (
    <Dialog
      title={sessions.length === 1 ? words.move : words.moveMany(sessions.length)}
      isOpen
      onClose={onClose}
    >
      <div className="directory-picker">
        {folders.length === 0 ? (
          <p className="muted">{words.none}</p>
        ) : (
          <ul className="directories">
            {folders.map((folder) => place(folder.id, "folder", folder.name, folder))}
            {(here.size > 1 || !here.has(undefined)) && place(undefined, "close", words.out, undefined)}
          </ul>
        )}
        <form
          className="form move-form"
          onSubmit={(event) => {
            event.preventDefault()
            make(String(new FormData(event.currentTarget).get("name") ?? ""))
          }}
        >
          <Field
            label={words.newName}
            name="name"
            required
            maxLength={80}
            placeholder={words.namePlaceholder}
            autoFocus={folders.length === 0}
          >
            <Button type="submit" disabled={isMaking}>
              {words.makeAndMove}
            </Button>
          </Field>
          <div role="alert">{problem !== undefined && <p className="form-error">{problem}</p>}</div>
        </form>
      </div>
    </Dialog>
  )
}
