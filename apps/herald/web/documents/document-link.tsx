import type { ReactElement, ReactNode } from "react"
import { PlaceLink } from "../app/place-link.tsx"
import { type Cited, placeOf } from "./place.ts"

/** Leads to the text of a document, where the lines that are meant stand out. */
export const DocumentLink = ({
  cited,
  children,
}: {
  readonly cited: Cited
  readonly children: ReactNode
}): ReactElement => <PlaceLink to={placeOf(cited)}>{children}</PlaceLink>
