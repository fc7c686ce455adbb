import { type ReactElement, useState } from "react"
import { words } from "../i18n/en-agents.ts"
import { formatList } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { RecordAction } from "../ui/record-action.tsx"
import { abilitiesOf } from "./abilities.ts"
import { AgentEditor } from "./agent-form.tsx"
import type { AgentForm } from "./agents-api.ts"
import type { Agent, OwnAgent } from "./use-agents.ts"

/** What only the owner has and does. */
interface Owning {
  readonly agent: OwnAgent
  readonly file: string
  readonly tools: readonly string[]
  /** Absent for those that are not of the page. */
  readonly onChange?: (form: AgentForm) => Promise<unknown>
  readonly onRemove?: () => void
  /** Absent for those that cannot answer. */
  readonly onStandard?: () => void
}

/** One agent: how it is, what it can do, and what can be done about it. */
export function AgentCard({
  agent,
  isStandard,
  owning,
}: {
  readonly agent: Agent
  readonly isStandard: boolean
  readonly owning: Owning | undefined
}): ReactElement {
  const [isEditing, setEditing] = useState(false)
  const { name, personality, can, model } = agent
  const abilities = abilitiesOf(can)
  if (isEditing && owning?.onChange)
    return (
      <li className="record">
        <Editing {...owning} onChange={owning.onChange} onDone={() => setEditing(false)} />
      </li>
    )
  return (
    <li className="record">
      <div className="record-body">
        <h2 className="agent-name" dir="auto">
          {name}
          {isStandard && <span className="agent-mark">{words.standard}</span>}
        </h2>
        <p className="record-content" dir="auto">
          {personality}
        </p>
        <p className="record-facts">
          {(abilities.length > 0 || owning?.agent.origin !== "peer") && (
            <span>{abilities.length === 0 ? words.cannot : words.can(formatList(abilities))}</span>
          )}
          {model !== null && <span>{words.model(model)}</span>}
          {owning?.agent.system_prompt && <span>{words.ownPrompt}</span>}
          {owning?.agent.origin === "file" && <span>{words.ofFile(owning.file)}</span>}
          {owning?.agent.origin === "built_in" && <span>{words.builtIn}</span>}
          {owning?.agent.origin === "peer" && <span>{words.elsewhere}</span>}
        </p>
        {owning?.onStandard && !isStandard && (
          <p className="agent-standard">
            <Button look="quiet" aria-label={words.makeStandardOf(name)} onClick={owning.onStandard}>
              {words.makeStandard}
            </Button>
          </p>
        )}
      </div>
      {owning?.onChange && owning.onRemove && (
        <div className="record-actions">
          <RecordAction
            icon="edit"
            label={words.edit}
            whole={words.editOf(name)}
            onAct={() => setEditing(true)}
          />
          <RecordAction
            icon="trash"
            label={words.remove}
            whole={words.removeOf(name)}
            onAct={owning.onRemove}
          />
        </div>
      )}
    </li>
  )
}

function Editing({
  agent,
  tools,
  onChange,
  onDone,
}: Owning & {
  readonly onChange: (form: AgentForm) => Promise<unknown>
  readonly onDone: () => void
}): ReactElement {
  const [isSaving, setSaving] = useState(false)
  const [problem, setProblem] = useState<string>()
  const save = (form: AgentForm): void => {
    setSaving(true)
    onChange(form)
      .then(onDone, (error: Error) => setProblem(error.message))
      .finally(() => setSaving(false))
  }
  return (
    <AgentEditor
      initial={formOf(agent)}
      tools={tools}
      problem={problem}
      isSaving={isSaving}
      onSave={save}
      onCancel={onDone}
    />
  )
}

/** An agent as the form has it. */
export const formOf = ({ name, personality, system_prompt, model, tools }: OwnAgent): AgentForm => ({
  name,
  personality,
  system_prompt: system_prompt ?? "",
  model: model ?? "",
  tools,
})
