import { type ReactElement, useEffect, useRef } from "react"

/** A name that is changed where it stands: Enter and leaving it keep what was written, Escape does not. */
export function TitleField({
  label,
  title,
  maxLength,
  onDone,
  onCancel,
}: {
  readonly label: string
  readonly title: string
  readonly maxLength: number
  readonly onDone: (title: string) => void
  readonly onCancel: () => void
}): ReactElement {
  const field = useRef<HTMLInputElement>(null)
  const isOver = useRef(false)
  useEffect(() => field.current?.select(), [])
  const finish = (how: () => void): void => {
    // Leaving the field after Enter or Escape would count as a second answer.
    if (isOver.current) return
    isOver.current = true
    how()
  }
  return (
    <input
      ref={field}
      className="session-rename"
      aria-label={label}
      defaultValue={title}
      maxLength={maxLength}
      onBlur={(event) => finish(() => onDone(event.target.value))}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return
        const { value } = event.currentTarget
        if (event.key === "Enter") finish(() => onDone(value))
        if (event.key === "Escape") {
          event.stopPropagation()
          finish(onCancel)
        }
      }}
    />
  )
}
