import { useQuery } from "@tanstack/react-query"
import { type ReactElement, useCallback, useState } from "react"
import { ApiError } from "../api/http.ts"
import { navigate } from "../app/router.ts"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-documents.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { documentsApi } from "./documents-api.ts"
import type { Cited } from "./place.ts"

/** Lines shown before those that are cited. */
const BEFORE = 20
/** Lines that come at once. */
const LINES = 300

/** The text of a document, with its lines numbered; those that were cited stand out. */
export function DocumentView({ cited }: { readonly cited: Cited }): ReactElement {
  const [first, setFirst] = useState(() => Math.max(1, cited.from - BEFORE))
  const found = useQuery({
    queryKey: ["document", cited.id, first],
    queryFn: ({ signal }) => documentsApi.text(cited.id, first, signal),
  })
  const show = useCallback((line: HTMLElement | null) => line?.scrollIntoView({ block: "center" }), [])
  const back = (
    <Button look="quiet" onClick={() => navigate({ type: "screen", screen: "documents", part: undefined })}>
      <Icon name="left" size={18} />
      {words.all}
    </Button>
  )
  if (found.error) {
    const { error } = found
    const isGone = error instanceof ApiError && error.status === 404
    return (
      <>
        <p>{back}</p>
        {isGone ? (
          <p className="note quiet-note">{words.missing}</p>
        ) : (
          <ErrorNote code="other" message={error.message} onRetry={() => void found.refetch()} />
        )}
      </>
    )
  }
  if (!found.data) return <p className="muted">{t.loading}</p>
  const { document, from, lines } = found.data
  const isCited = (number: number): boolean => number >= cited.from && number <= cited.to
  return (
    <>
      <p>{back}</p>
      <h2 className="document-title">{document.title}</h2>
      {document.title !== document.id && <p className="muted">{document.id}</p>}
      {from > 1 && (
        <p>
          <Button onClick={() => setFirst(Math.max(1, from - LINES))}>{words.earlier}</Button>
        </p>
      )}
      <ol className="document-text" aria-label={words.text} dir="auto">
        {lines.map((line, index) => {
          const number = from + index
          return (
            <li
              key={number}
              value={number}
              className={isCited(number) ? "cited" : undefined}
              ref={number === cited.from && isCited(number) ? show : undefined}
            >
              {line}
            </li>
          )
        })}
      </ol>
      {from + lines.length <= document.lines && (
        <p>
          <Button onClick={() => setFirst(from + lines.length)}>{words.later}</Button>
        </p>
      )}
    </>
  )
}
