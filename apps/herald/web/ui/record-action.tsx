import type { ComponentProps, ReactElement } from "react"
import { IconButton } from "./button.tsx"
import type { IconName } from "./icons.tsx"

/** One thing that can be done about what a card shows; it stands in the card's `record-actions`. */
export const RecordAction = ({
  label,
  whole,
  onAct,
  ...button
}: Pick<ComponentProps<"button">, "ref" | "disabled"> & {
  readonly icon: IconName
  /** What it does, shown as a tooltip. */
  readonly label: string
  /** The same with the name of what it is done to, for whoever hears it out of its place. */
  readonly whole: string
  readonly onAct: () => void
}): ReactElement => <IconButton {...button} size={18} label={label} aria-label={whole} onClick={onAct} />
