import { type ReactElement, useId, useState } from "react"
import { words } from "../i18n/en-agents.ts"
import { useModels } from "../settings/use-models.ts"
import { Field } from "../ui/field.tsx"
import { FormFoot } from "../ui/form-foot.tsx"
import type { AgentForm } from "./agents-api.ts"

const ALL = "*"
/** Every agent has it. */
const CLOCK = "current_time"

/** An agent as it is written: a new one, or one that is changed. */
export function AgentEditor({
  initial,
  tools,
  problem,
  isSaving,
  onSave,
  onCancel,
}: {
  readonly initial: AgentForm
  /** The names of all tools there are. */
  readonly tools: readonly string[]
  readonly problem: string | undefined
  readonly isSaving: boolean
  readonly onSave: (form: AgentForm) => void
  readonly onCancel: () => void
}): ReactElement {
  const id = useId()
  const { list: models } = useModels()
  const [hasAll, setHasAll] = useState(initial.tools.includes(ALL))
  const known = tools.filter((name) => name !== CLOCK)
  const patterns = initial.tools.filter((name) => name !== ALL && name !== CLOCK && !known.includes(name))
  const submit = (data: FormData): void => {
    const text = (name: string): string => String(data.get(name) ?? "")
    const more = text("patterns")
      .split(/[\s,]+/)
      .filter((name) => name !== "")
    onSave({
      name: text("name").trim(),
      personality: text("personality").trim(),
      model: text("model").trim(),
      system_prompt: text("system_prompt"),
      tools: hasAll ? [ALL] : [...data.getAll("tool").map(String), ...more],
    })
  }
  return (
    <form
      className="form record-form"
      aria-label={words.form}
      onSubmit={(event) => {
        event.preventDefault()
        submit(new FormData(event.currentTarget))
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.nativeEvent.isComposing) return
        event.stopPropagation()
        onCancel()
      }}
    >
      <Field
        label={words.name}
        name="name"
        hint={words.nameHint}
        defaultValue={initial.name}
        required
        maxLength={64}
        autoFocus
      />
      <Field
        label={words.personality}
        name="personality"
        hint={words.personalityHint}
        placeholder={words.personalityDefault}
        defaultValue={initial.personality === words.personalityDefault ? "" : initial.personality}
        maxLength={2_000}
      />
      <Field
        label={words.modelLabel}
        name="model"
        hint={words.modelHint}
        defaultValue={initial.model}
        maxLength={200}
        list={`${id}-models`}
      />
      <datalist id={`${id}-models`}>
        {models.map((model) => (
          <option key={model.id} value={model.id}>
            {model.name}
          </option>
        ))}
      </datalist>
      <fieldset className="agent-tools">
        <legend>{words.tools}</legend>
        <label className="check">
          <input type="radio" name="scope" checked={hasAll} onChange={() => setHasAll(true)} />
          {words.allTools}
        </label>
        <label className="check">
          <input type="radio" name="scope" checked={!hasAll} onChange={() => setHasAll(false)} />
          {words.someTools}
        </label>
        {!hasAll && (
          <div className="agent-tool-list">
            <ul>
              {known.map((name) => (
                <li key={name}>
                  <label className="check">
                    <input
                      type="checkbox"
                      name="tool"
                      value={name}
                      defaultChecked={initial.tools.includes(name)}
                    />
                    <code>{name}</code>
                  </label>
                </li>
              ))}
            </ul>
            <Field
              label={words.patterns}
              name="patterns"
              hint={words.patternsHint}
              defaultValue={patterns.join(" ")}
              pattern="[a-zA-Z0-9_.*\-\s,]*"
              maxLength={4_000}
            />
            <p className="muted">{words.clock}</p>
          </div>
        )}
      </fieldset>
      <div className="field">
        <label htmlFor={`${id}-prompt`}>{words.prompt}</label>
        <textarea
          id={`${id}-prompt`}
          name="system_prompt"
          className="record-text"
          rows={2}
          dir="auto"
          maxLength={100_000}
          defaultValue={initial.system_prompt}
          aria-describedby={`${id}-prompt-hint`}
        />
        <small id={`${id}-prompt-hint`}>{words.promptHint}</small>
      </div>
      <FormFoot problem={problem} label={words.save} isOff={isSaving} onCancel={onCancel} />
    </form>
  )
}
