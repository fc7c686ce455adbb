import type { ComponentProps, ReactElement } from "react"
import { Icon, type IconName } from "./icons.tsx"

type ButtonProps = ComponentProps<"button"> & { readonly look?: "plain" | "primary" | "quiet" | "danger" }

export const Button = ({ look = "plain", className = "", ...props }: ButtonProps): ReactElement => (
  <button type="button" {...props} className={`button ${look} ${className}`} />
)

/** A button that is only a picture: its label is read aloud and shown as a tooltip. */
export const IconButton = ({
  icon,
  label,
  shortcut,
  size = 20,
  className = "",
  ...props
}: ComponentProps<"button"> & {
  readonly icon: IconName
  readonly label: string
  readonly shortcut?: string | undefined
  readonly size?: number
}): ReactElement => (
  <button
    type="button"
    aria-label={label}
    data-tip={label}
    data-keys={shortcut}
    {...props}
    className={`icon-button ${className}`}
  >
    <Icon name={icon} size={size} />
  </button>
)
