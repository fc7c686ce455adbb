import { lazy, type ReactElement } from "react"
import { abilitiesOf, askedOf, isAble } from "../agents/abilities.ts"
import { useAgents } from "../agents/use-agents.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { words } from "../i18n/en-sidebar.ts"
import { formatList, t } from "../i18n/index.ts"
import type { Folder } from "../sessions/folders-api.ts"
import { Lazily } from "../ui/boundary.tsx"
import { Button } from "../ui/button.tsx"
import { Icon, Mark } from "../ui/icons.tsx"

const FirstSteps = lazy(() => import("./first-steps.tsx"))

/** What a new chat shows: who answers, and what that one can do. */
export function EmptyChat({
  agent,
  folder,
  isTemporary,
  onPick,
}: {
  readonly isTemporary: boolean
  /** Undefined: the default. */
  readonly agent: string | undefined
  /** That it will be in. */
  readonly folder: Folder | undefined
  readonly onPick: (prompt: string) => void
}): ReactElement {
  const { me } = useShared()
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
      {folder && (
        <section className="empty-folder" aria-label={words.folders}>
          <p dir="auto">
            <Icon name="folder" size={16} /> {words.begins(folder.name)}
          </p>
          {folder.instructions !== "" && (
            <p className="muted">
              {words.told} <q dir="auto">{folder.instructions}</q>
            </p>
          )}
        </section>
      )}
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
      {!isTemporary && !folder && me.permissions.includes("owner") && (
        <Lazily without={null}>
          <FirstSteps />
        </Lazily>
      )}
      {isTemporary && <p className="muted">{t.chat.temporaryNote}</p>}
      {!isTemporary && !folder && (
        <Button look="quiet" onClick={() => navigate({ type: "new", isTemporary: true })}>
          <Icon name="ghost" size={18} />
          {t.chat.beTemporary}
        </Button>
      )}
    </div>
  )
}
