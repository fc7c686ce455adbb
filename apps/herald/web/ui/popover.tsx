import { type ReactElement, type ReactNode, useId, useState } from "react"
import { Layer, type Side } from "./layer.tsx"

/** A button that shows something more beside it. The rest of the page stays in reach. */
export function Popover({
  label,
  className,
  title,
  icon,
  side = "bottom",
  children,
}: {
  /** The button's name. */
  readonly label: string
  readonly className: string
  /** The heading of what is shown. */
  readonly title: string
  /** What is on the button. */
  readonly icon: ReactNode
  readonly side?: Side
  readonly children: ReactNode
}): ReactElement {
  const [anchor, setAnchor] = useState<HTMLElement>()
  const id = useId()
  return (
    <>
      <button
        type="button"
        className={className}
        aria-label={label}
        data-tip={label}
        aria-haspopup="dialog"
        aria-expanded={anchor !== undefined}
        onClick={({ currentTarget }) => setAnchor(anchor ? undefined : currentTarget)}
      >
        {icon}
      </button>
      {anchor && (
        <Layer
          role="dialog"
          aria-labelledby={id}
          className="popover"
          anchor={anchor}
          side={side}
          align="center"
          onDismiss={() => setAnchor(undefined)}
        >
          <h2 id={id} className="popover-title">
            {title}
          </h2>
          {children}
        </Layer>
      )}
    </>
  )
}
