import type { ReactElement } from "react"
import { abilitiesOf, askedOf, isAble } from "../agents/abilities.ts"
import { useAgents } from "../agents/use-agents.ts"
import { navigate } from "../app/router.ts"
import { formatList, t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon, Mark } from "../ui/icons.tsx"

/** What a new chat shows: who answers, and what that one can do. */
export function EmptyChat({
  agent,
  isTemporary,
  onPick,
}: {
  readonly isTemporary: boolean
  /** Undefined: the default. */
  readonly agent: string | undefined
  readonly onPick: (prompt: string) => void
}): ReactElement {
  const { default: standard, find } = useAgents()
  const chosen = (agent === undefined ? undefined : find(agent)) ?? find(standard)
  const can = chosen?.can ?? []
  return (
    <div className="empty" id="transcript">
      <Mark size={44} />
      <h2>{t.chat.emptyTitle}</h2>
      {/* Nothing is said of what is not known yet. */}
      <p>
        {chosen && t.chat.emptyLead(chosen.name, formatList(abilitiesOf(can)), formatList(askedOf(chosen)))}
      </p>
      <ul className="examples">
        {t.chat.examples
          .filter(({ needs }) => needs === undefined || !chosen || isAble(can, needs))
          .map(({ title, prompt }) => (
            <li key={title}>
              <button type="button" className="example" onClick={() => onPick(prompt)}>
                <strong>{title}</strong>
                <span>{prompt}</span>
              </button>
            </li>
          ))}
      </ul>
      {isTemporary ? (
        <p className="muted">{t.chat.temporaryNote}</p>
      ) : (
        <Button look="quiet" onClick={() => navigate({ type: "new", isTemporary: true })}>
          <Icon name="ghost" size={18} />
          {t.chat.beTemporary}
        </Button>
      )}
    </div>
  )
}
