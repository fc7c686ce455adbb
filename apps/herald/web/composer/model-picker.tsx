import { type ReactElement, useState } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { t } from "../i18n/index.ts"
import { useModels } from "../settings/use-models.ts"
import { Button } from "../ui/button.tsx"
import { Dialog } from "../ui/dialog.tsx"
import { Field } from "../ui/field.tsx"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuChoice, MenuItem, MenuLine } from "../ui/menu.tsx"

const STANDARD = ""

/** The model that answers when none is chosen for the chat. */
export function useStandardModel(agent: string | undefined): string {
  const { standard } = useModels()
  const { default: byDefault, find } = useAgents()
  return ((agent === undefined ? undefined : find(agent)) ?? find(byDefault))?.model ?? standard
}

/** Which model answers in this chat. */
export function ModelPicker({
  agent,
  model,
  onChange,
}: {
  /** Who answers; undefined: the default. */
  readonly agent: string | undefined
  readonly model: string | undefined
  readonly onChange: (model: string | undefined) => void
}): ReactElement | null {
  const { list, canChoose } = useModels()
  const standard = useStandardModel(agent)
  const [isNaming, setNaming] = useState(false)
  if (!canChoose || !standard) return null
  const name = (id: string): string => list.find((one) => one.id === id)?.name ?? id
  const shown = name(model ?? standard)
  const others = [...list.filter(({ id }) => id !== standard)]
  if (model !== undefined && model !== standard && !others.some(({ id }) => id === model))
    others.unshift({ id: model })
  return (
    <>
      <Menu
        side="top"
        align="end"
        trigger={
          <button type="button" className="model-button" aria-label={t.composer.modelLabel(shown)}>
            <span className="model-name">{shown}</span>
            <Icon name="down" size={14} />
          </button>
        }
      >
        <MenuChoice
          label={t.composer.model}
          value={model ?? STANDARD}
          onChange={(value) => onChange(value === STANDARD ? undefined : value)}
          options={[
            { value: STANDARD, label: t.composer.defaultModel(name(standard)) },
            ...others.map(({ id, name: label }) => ({ value: id, label: label ?? id })),
          ]}
        />
        <MenuLine />
        <MenuItem label={t.composer.ownModel} onSelect={() => setNaming(true)} />
      </Menu>
      <Dialog title={t.composer.ownModel} isOpen={isNaming} onClose={() => setNaming(false)}>
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            const value = String(new FormData(event.currentTarget).get("model") ?? "").trim()
            onChange(value || undefined)
            setNaming(false)
          }}
        >
          <Field
            label={t.composer.ownModelLabel}
            name="model"
            defaultValue={model ?? standard}
            maxLength={200}
          />
          <Button look="primary" type="submit">
            {t.composer.use}
          </Button>
        </form>
      </Dialog>
    </>
  )
}
