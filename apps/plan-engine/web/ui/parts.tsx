import type { ComponentProps, ReactElement, ReactNode } from "react"
import type { Json } from "../api/types.ts"
import { timeText } from "./words.ts"

export const Button = ({
  look = "plain",
  ...props
}: ComponentProps<"button"> & { readonly look?: "plain" | "primary" | "quiet" | "danger" }): ReactElement => (
  <button type="button" {...props} className={`button ${look}`} />
)

/** Where there is nothing yet: what would be here, and how it gets here. */
export const Empty = ({
  title,
  children,
}: {
  readonly title: string
  readonly children: ReactNode
}): ReactElement => (
  <div className="empty">
    <h2>{title}</h2>
    {children}
  </div>
)

/** What went wrong, and what can be done. */
export const Failure = ({
  error,
  onRetry,
}: {
  readonly error: Error
  readonly onRetry?: () => void
}): ReactElement => (
  <div className="failure" role="alert">
    <p>{error instanceof TypeError ? "The engine does not answer. Is it running?" : error.message}</p>
    {onRetry && <Button onClick={onRetry}>Try again</Button>}
  </div>
)

export const Time = ({ at }: { readonly at: string | number }): ReactElement => (
  <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
    {timeText(at)}
  </time>
)

/** A value as it is, in a box of its own that scrolls. */
export const Value = ({ label, of }: { readonly label: string; readonly of: Json }): ReactElement => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled with the keyboard
  <section className="value" aria-label={label} tabIndex={0}>
    <pre>{typeof of === "string" ? of : JSON.stringify(of, null, 2)}</pre>
  </section>
)
