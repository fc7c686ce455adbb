import type { ReactElement } from "react"
import { navigate, type Place, pathOf } from "../app/router.ts"

/** A way to somewhere else in the page. */
export function PlaceLink({
  to,
  label,
  text,
}: {
  readonly to: Place
  /** Read aloud in place of the text, where that says too little by itself. */
  readonly label?: string
  readonly text: string
}): ReactElement {
  return (
    <a
      href={pathOf(to)}
      aria-label={label}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        navigate(to)
      }}
    >
      {text}
    </a>
  )
}
