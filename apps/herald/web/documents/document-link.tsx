import type { ReactElement, ReactNode } from "react"
import { navigate, pathOf } from "../app/router.ts"
import { type Cited, placeOf } from "./place.ts"

/** Leads to the text of a document, where the lines that are meant stand out. */
export function DocumentLink({
  cited,
  children,
}: {
  readonly cited: Cited
  readonly children: ReactNode
}): ReactElement {
  const to = placeOf(cited)
  return (
    <a
      href={pathOf(to)}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        navigate(to)
      }}
    >
      {children}
    </a>
  )
}
