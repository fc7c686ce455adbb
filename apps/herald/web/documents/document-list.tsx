import { useInfiniteQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { words } from "../i18n/en-documents.ts"
import { formatDay, formatFullTime, formatNumber } from "../i18n/index.ts"
import { RecordAction } from "../ui/record-action.tsx"
import { ShowMore } from "../ui/show-more.tsx"
import { DocumentLink } from "./document-link.tsx"
import { type DocumentInfo, documentsApi } from "./documents-api.ts"

/** The documents of a folder, or those that were given, by name. */
export const useDocuments = (folder: string | undefined) =>
  useInfiniteQuery({
    queryKey: ["documents", folder ?? ""],
    queryFn: ({ pageParam, signal }) => documentsApi.list(folder, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.cursor,
    // A folder is being read for as long as that takes.
    refetchInterval: ({ state }) =>
      state.data?.pages[0]?.folders.some((each) => each.state === "reading") ? 1_000 : false,
  })

export function DocumentList({
  label,
  found,
  onDelete,
}: {
  readonly label: string
  readonly found: ReturnType<typeof useDocuments>
  readonly onDelete?: (document: DocumentInfo) => void
}): ReactElement {
  const documents = found.data?.pages.flatMap((page) => page.documents) ?? []
  return (
    <>
      <ul className="records" aria-label={label}>
        {documents.map((document) => (
          <li key={document.id} className="record">
            <div className="record-body">
              <p className="record-content">
                <DocumentLink cited={{ id: document.id, from: 1, to: 0 }}>{document.title}</DocumentLink>
              </p>
              <Facts document={document} />
            </div>
            {onDelete && (
              <div className="record-actions">
                <RecordAction
                  icon="trash"
                  label={words.delete}
                  whole={words.deleteOf(document.id)}
                  onAct={() => onDelete(document)}
                />
              </div>
            )}
          </li>
        ))}
      </ul>
      <ShowMore found={found} label={words.more} />
    </>
  )
}

const Facts = ({
  document: { id, title, lines, pages, byMeaning, updatedAt },
}: {
  readonly document: DocumentInfo
}): ReactElement => (
  <p className="record-facts">
    {id !== title && <span>{id}</span>}
    <span>
      {pages === undefined
        ? words.lines(lines, formatNumber(lines))
        : words.pages(pages, formatNumber(pages))}
    </span>
    <span>{byMeaning ? words.byMeaning : words.byWords}</span>
    <time dateTime={new Date(updatedAt).toISOString()} title={formatFullTime(updatedAt)}>
      {formatDay(updatedAt, Date.now())}
    </time>
  </p>
)
