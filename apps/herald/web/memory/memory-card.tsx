import { type ReactElement, useState } from "react"
import { useShared } from "../app/context.ts"
import { PlaceLink } from "../app/place-link.tsx"
import { words } from "../i18n/en-memory.ts"
import { formatDay, formatFullTime } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { RecordAction } from "../ui/record-action.tsx"
import type { Memory, MemoryText } from "./memory-api.ts"
import { MemoryForm } from "./memory-form.tsx"

/** One memory: what it says, where it is from, and what can be done about it. */
export function MemoryCard({
  memory,
  onEdit,
  onForget,
}: {
  readonly memory: Memory
  readonly onEdit: (text: MemoryText) => Promise<unknown>
  readonly onForget: () => void
}): ReactElement {
  const [isEditing, setEditing] = useState(false)
  const [isSaving, setSaving] = useState(false)
  const [problem, setProblem] = useState<string>()
  const { content, tags } = memory
  if (isEditing) {
    const save = (text: MemoryText): void => {
      setSaving(true)
      onEdit(text)
        .then(
          () => {
            setEditing(false)
            setProblem(undefined)
          },
          (error: Error) => setProblem(error.message),
        )
        .finally(() => setSaving(false))
    }
    return (
      <li className="record">
        <MemoryForm
          initial={memory}
          problem={problem}
          isSaving={isSaving}
          onSave={save}
          onCancel={() => setEditing(false)}
        />
      </li>
    )
  }
  return (
    <li className="record">
      <div className="record-body">
        <p className="record-content" dir="auto">
          {content}
        </p>
        {tags.length > 0 && (
          <ul className="record-tags" aria-label={words.tags}>
            {tags.map((tag) => (
              <li key={tag}>{tag}</li>
            ))}
          </ul>
        )}
        <Origin memory={memory} />
      </div>
      <div className="record-actions">
        <RecordAction
          icon="edit"
          label={words.edit}
          whole={words.editOf(short(content))}
          onAct={() => setEditing(true)}
        />
        <RecordAction
          icon="trash"
          label={words.forget}
          whole={words.forgetOf(short(content))}
          onAct={onForget}
        />
      </div>
    </li>
  )
}

const short = (text: string): string => {
  const points = [...text]
  return points.length > 60 ? `${points.slice(0, 60).join("")}…` : text
}

/** Who said it, when and where. */
function Origin({ memory: { source, updatedAt, expiresAt } }: { readonly memory: Memory }): ReactElement {
  const { me } = useShared()
  const { session, principal, outside, agents = [] } = source
  const who = principal === undefined || principal === me.name ? words.fromYou : words.from(principal)
  const now = Date.now()
  return (
    <p className="record-facts">
      <time dateTime={new Date(updatedAt).toISOString()} title={formatFullTime(updatedAt)}>
        {formatDay(updatedAt, now)}
      </time>
      {session?.startsWith(`${me.namespace}:`) ? (
        <ChatLink namespace={session} text={who} />
      ) : (
        <span>{who}</span>
      )}
      {agents.length > 0 && <span>{words.agents(agents.join(", "))}</span>}
      {expiresAt !== undefined && <span>{words.expires(formatDay(expiresAt, now))}</span>}
      {outside && (
        <span className="record-warning" title={words.outsideHint}>
          <Icon name="warning" size={14} />
          {words.outside}
        </span>
      )}
    </p>
  )
}

function ChatLink({ namespace, text }: { readonly namespace: string; readonly text: string }): ReactElement {
  return (
    <PlaceLink to={{ type: "chat", namespace }} title={words.chat}>
      {text}, {words.chatLink}
    </PlaceLink>
  )
}
