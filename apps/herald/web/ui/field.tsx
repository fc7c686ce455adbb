import { type ComponentProps, type ReactElement, type ReactNode, useId } from "react"

/** A labelled input with a hint below it. `children` stands beside the input. */
export function Field({
  label,
  hint,
  children,
  ...input
}: ComponentProps<"input"> & {
  readonly label: string
  readonly hint?: string | undefined
  readonly children?: ReactNode
}): ReactElement {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <span className="with-button">
        <input
          autoComplete="off"
          spellCheck={false}
          {...input}
          id={id}
          aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        />
        {children}
      </span>
      {hint !== undefined && <small id={`${id}-hint`}>{hint}</small>}
    </div>
  )
}
