import { type ReactElement, type ReactNode, useState } from "react"
import { Icon } from "../ui/icons.tsx"
import type { CallGroup as Group } from "./call-groups.ts"
import type { ChatStore } from "./chat-store.ts"
import { inPlace } from "./hold-in-place.ts"
import { countWords } from "./tool-words.ts"

/** Finished calls in one line that says how many of what kind; it opens to their cards. */
export function CallGroup({
  calls,
  store: { openGroups },
  children,
}: Pick<Group, "calls"> & { readonly store: ChatStore; readonly children: () => ReactNode }): ReactElement {
  // By each of its calls: a group grows at both ends while calls beside each other finish.
  const [isOpen, setOpen] = useState(() => calls.some(({ id }) => openGroups.has(id)))
  const toggle = (): void => {
    for (const { id } of calls) {
      if (isOpen) openGroups.delete(id)
      else openGroups.add(id)
    }
    setOpen(!isOpen)
  }
  return (
    <div className="call-group">
      <button type="button" className="tool-head" aria-expanded={isOpen} onClick={inPlace(toggle)}>
        <Icon name="tool" size={18} />
        <span className="tool-summary">
          <span className="tool-title">{countWords(calls.map(({ name }) => name))}</span>
        </span>
        <Icon name="down" size={14} />
      </button>
      {isOpen && <div className="call-group-body">{children()}</div>}
    </div>
  )
}
