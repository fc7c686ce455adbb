import type { ReactElement } from "react"
import { t } from "../i18n/index.ts"
import { useModels } from "../settings/use-models.ts"
import { Icon } from "../ui/icons.tsx"
import { Menu, MenuItem } from "../ui/menu.tsx"

/** Another answer, by a model to choose. Absent when there is nothing to choose from. */
export function RegenerateMenu({
  isDisabled,
  onChoose,
}: {
  readonly isDisabled: boolean
  readonly onChoose: (model: string) => void
}): ReactElement | null {
  const models = useModels()
  if (models.list.length < 2) return null
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="icon-button narrow"
          aria-label={t.chat.regenerateWith}
          title={t.chat.regenerateWith}
          disabled={isDisabled}
        >
          <Icon name="down" size={14} />
        </button>
      }
    >
      {models.list.map(({ id, name }) => (
        <MenuItem key={id} label={name ?? id} onSelect={() => onChoose(id)} />
      ))}
    </Menu>
  )
}
