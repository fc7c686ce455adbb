import { Tooltip } from "@base-ui/react/tooltip"
import type { ReactElement } from "react"

/** Shows what an icon button does, on hover and on focus. The button itself carries the label. */
export const Tip = ({
  text,
  shortcut,
  children,
}: {
  readonly text: string
  readonly shortcut?: string | undefined
  readonly children: ReactElement<Record<string, unknown>>
}): ReactElement => (
  <Tooltip.Root>
    <Tooltip.Trigger render={children} />
    <Tooltip.Portal>
      <Tooltip.Positioner sideOffset={6} className="layer">
        <Tooltip.Popup className="tip">
          {text}
          {shortcut && <kbd>{shortcut}</kbd>}
        </Tooltip.Popup>
      </Tooltip.Positioner>
    </Tooltip.Portal>
  </Tooltip.Root>
)

export const TipProvider = Tooltip.Provider
