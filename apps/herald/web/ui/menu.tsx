import { Menu as Base } from "@base-ui/react/menu"
import type { ReactElement, ReactNode } from "react"
import { Icon, type IconName } from "./icons.tsx"

export const Menu = ({
  trigger,
  children,
  align = "end",
  side = "bottom",
}: {
  readonly trigger: ReactElement<Record<string, unknown>>
  readonly children: ReactNode
  readonly align?: "start" | "center" | "end"
  readonly side?: "top" | "bottom"
}): ReactElement => (
  <Base.Root modal={false}>
    <Base.Trigger render={trigger} />
    <Base.Portal>
      <Base.Positioner align={align} side={side} sideOffset={6} collisionPadding={8} className="layer">
        <Base.Popup className="menu">{children}</Base.Popup>
      </Base.Positioner>
    </Base.Portal>
  </Base.Root>
)

export const MenuItem = ({
  icon,
  label,
  hint,
  isDanger = false,
  onSelect,
}: {
  readonly icon?: IconName
  readonly label: string
  readonly hint?: string
  readonly isDanger?: boolean
  readonly onSelect: () => void
}): ReactElement => (
  <Base.Item className={isDanger ? "menu-item danger" : "menu-item"} onClick={onSelect}>
    {icon && <Icon name={icon} size={18} />}
    <span className="menu-label">{label}</span>
    {hint && <kbd>{hint}</kbd>}
  </Base.Item>
)

export const MenuChoice = ({
  value,
  onChange,
  label,
  options,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly label: string
  readonly options: readonly { readonly value: string; readonly label: string; readonly icon?: IconName }[]
}): ReactElement => (
  <Base.Group>
    <Base.GroupLabel className="menu-group">{label}</Base.GroupLabel>
    <Base.RadioGroup value={value} onValueChange={(next: unknown) => onChange(String(next))}>
      {options.map((option) => (
        <Base.RadioItem key={option.value} value={option.value} className="menu-item">
          {option.icon && <Icon name={option.icon} size={18} />}
          <span className="menu-label">{option.label}</span>
          <Base.RadioItemIndicator className="menu-check">
            <Icon name="check" size={16} />
          </Base.RadioItemIndicator>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  </Base.Group>
)

export const MenuLine = (): ReactElement => <Base.Separator className="menu-line" />
