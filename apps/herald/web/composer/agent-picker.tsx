import type { ReactElement } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { t } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuChoice } from "../ui/menu.tsx"

/** Who answers in this chat. Absent where there is only one. */
export function AgentPicker({
  agent,
  onChange,
}: {
  /** Undefined: the default. */
  readonly agent: string | undefined
  readonly onChange: (agent: string | undefined) => void
}): ReactElement | null {
  const { agents, default: standard, find } = useAgents()
  if (agents.length < 2) return null
  const shown = (agent === undefined ? undefined : find(agent)?.name) ?? standard
  return (
    <Menu
      side="top"
      align="start"
      trigger={
        <button type="button" className="model-button agent-button" aria-label={t.agents.pickerLabel(shown)}>
          <Icon name="bot" size={16} />
          <span className="model-name">{shown}</span>
          <Icon name="down" size={14} />
        </button>
      }
    >
      <MenuChoice
        label={t.agents.picker}
        value={shown}
        onChange={(value) => onChange(value === standard ? undefined : value)}
        options={agents.map(({ name }) => ({
          value: name,
          label: name === standard ? t.agents.standard(name) : name,
        }))}
      />
    </Menu>
  )
}

/** Says that the one who was chosen is gone, and who answers now. */
export function GoneAgent({ agent }: { readonly agent: string | undefined }): ReactElement | null {
  const { agents, default: standard, find } = useAgents()
  if (agent === undefined || agents.length === 0 || find(agent)) return null
  return (
    <p className="note quiet-note" role="status">
      {t.agents.gone(agent, standard)}
    </p>
  )
}
