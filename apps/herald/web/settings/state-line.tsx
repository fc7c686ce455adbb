import type { ReactElement, ReactNode } from "react"

/** How it is with something, in a word and a colour, and what to do. Told to screen readers when it changes. */
export const StateLine = ({
  look,
  label,
  children,
}: {
  readonly look: "off" | "busy" | "good" | "bad"
  readonly label: string
  readonly children?: ReactNode
}): ReactElement => (
  <div className="state-line" role="status">
    <span className={`state-dot ${look}`} aria-hidden="true" />
    <strong>{label}</strong>
    {children && <p>{children}</p>}
  </div>
)
