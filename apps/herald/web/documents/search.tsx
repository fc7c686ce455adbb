import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { type ReactElement, useDeferredValue, useState } from "react"
import { words } from "../i18n/en-documents.ts"
import { formatNumber } from "../i18n/index.ts"
import { SearchField } from "../ui/search-field.tsx"
import { DocumentLink } from "./document-link.tsx"
import { documentsApi, type Passage } from "./documents-api.ts"

/** What the assistant would find. */
export function Search(): ReactElement {
  const [text, setText] = useState("")
  const query = useDeferredValue(text.trim())
  const found = useQuery({
    queryKey: ["documents-search", query],
    queryFn: ({ signal }) => documentsApi.search(query, signal),
    enabled: query !== "",
    placeholderData: keepPreviousData,
  })
  const { passages = [], failure } = found.data ?? {}
  return (
    <search>
      <SearchField label={words.search} value={text} onChange={setText} />
      {query !== "" && (
        <div className="search-results" role="status">
          {found.error && <p className="form-error">{found.error.message}</p>}
          {failure !== undefined && <p className="note quiet-note">{failure}</p>}
          {found.isSuccess && passages.length === 0 && <p className="muted">{words.noMatch(query)}</p>}
          {passages.length > 0 && (
            <ol className="records" aria-label={words.results}>
              {passages.map((passage) => (
                <Result key={passage.id} passage={passage} />
              ))}
            </ol>
          )}
        </div>
      )}
    </search>
  )
}

function Result({
  passage: { id, title, text, lines, page, heading },
}: {
  readonly passage: Passage
}): ReactElement {
  const [from, to] = lines
  return (
    <li className="record">
      <div className="record-body">
        <p className="record-content">
          <DocumentLink cited={{ id, from, to }}>{title}</DocumentLink>
        </p>
        <p className="passage" dir="auto">
          {text}
        </p>
        <p className="record-facts">
          {heading !== undefined && <span>{heading}</span>}
          <span>
            {words.place(
              page === undefined ? undefined : formatNumber(page),
              formatNumber(from),
              formatNumber(to),
            )}
          </span>
        </p>
      </div>
    </li>
  )
}
