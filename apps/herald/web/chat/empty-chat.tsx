import type { ReactElement } from "react"
import { useShared } from "../app/context.ts"
import { t } from "../i18n/index.ts"
import { Mark } from "../ui/icons.tsx"

/** What a new chat shows: what may be asked here, and what will not happen. */
export function EmptyChat({ onPick }: { readonly onPick: (prompt: string) => void }): ReactElement {
  const { assistant } = useShared()
  return (
    <div className="empty" id="transcript">
      <Mark size={44} />
      <h2>{t.chat.emptyTitle}</h2>
      <p>{t.chat.emptyLead(assistant)}</p>
      <ul className="examples">
        {t.chat.examples.map(({ title, prompt }) => (
          <li key={title}>
            <button type="button" className="example" onClick={() => onPick(prompt)}>
              <strong>{title}</strong>
              <span>{prompt}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
