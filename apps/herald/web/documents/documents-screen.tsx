import { useMutation, useQueryClient } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { ApiError } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import type { ScreenProps } from "../app/screens.tsx"
import { ErrorNote } from "../chat/error-note.tsx"
import { words } from "../i18n/en-documents.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { DocumentList, useDocuments } from "./document-list.tsx"
import { DocumentView } from "./document-view.tsx"
import { type DocumentInfo, documentsApi, type FolderInfo } from "./documents-api.ts"
import { FolderCard } from "./folder-card.tsx"
import { citedIn } from "./place.ts"
import { Search } from "./search.tsx"
import { Upload } from "./upload.tsx"
import "../styles/records.css"
import "../styles/documents.css"

/** The documents of whoever is logged in, or the text of one. */
export default function DocumentsScreen({ part }: ScreenProps): ReactElement {
  const cited = citedIn(part)
  return cited ? <DocumentView key={part} cited={cited} /> : <Documents />
}

function Documents(): ReactElement {
  const { assistant } = useShared()
  const client = useQueryClient()
  const found = useDocuments(undefined)
  const refresh = (): Promise<unknown> =>
    Promise.all([
      client.invalidateQueries({ queryKey: ["documents"] }),
      client.invalidateQueries({ queryKey: ["documents-search"] }),
    ])
  const restore = (id: string): void => {
    documentsApi.restore(id).then(
      async () => {
        await refresh()
        toast(words.back(id))
      },
      (error: Error) => toast(error.message),
    )
  }
  const remove = ({ id }: DocumentInfo): void => {
    documentsApi.remove(id).then(
      async () => {
        await refresh()
        toast(words.deleted(id), { label: t.undo, run: () => restore(id) })
      },
      (error: Error) => toast(error.message),
    )
  }
  if (found.error) {
    const code = found.error instanceof ApiError ? found.error.code : "other"
    return <ErrorNote code={code} message={found.error.message} onRetry={() => void found.refetch()} />
  }
  const first = found.data?.pages[0]
  if (!first) return <p className="muted">{t.loading}</p>
  const { documents, folders, searched } = first
  const isEmpty = documents.length === 0 && folders.length === 0
  return (
    <>
      <p className="muted">{words.lead(assistant)}</p>
      {!searched && <p className="note quiet-note">{words.notSearched}</p>}
      <Upload onAdded={refresh} />
      {!isEmpty && <Search />}
      {documents.length > 0 && (
        <section className="record-section" aria-labelledby="documents-own">
          <h2 id="documents-own">{words.yours}</h2>
          <DocumentList label={words.yours} found={found} onDelete={remove} />
        </section>
      )}
      {folders.length > 0 && <Folders folders={folders} onRead={refresh} />}
      {isEmpty && (
        <section className="records-empty">
          <h2>{words.emptyTitle}</h2>
          <p className="muted">{words.emptyLead}</p>
          <p>{words.example}</p>
        </section>
      )}
    </>
  )
}

function Folders({
  folders,
  onRead,
}: {
  readonly folders: readonly FolderInfo[]
  readonly onRead: () => Promise<unknown>
}): ReactElement {
  const { me } = useShared()
  const sync = useMutation({ mutationFn: () => documentsApi.sync(), onSettled: onRead })
  return (
    <section className="record-section" aria-labelledby="documents-folders">
      <h2 id="documents-folders">{words.folders}</h2>
      <p className="muted">{words.foldersLead}</p>
      <ul className="records" aria-label={words.folders}>
        {folders.map((folder) => (
          <FolderCard key={folder.name} folder={folder} />
        ))}
      </ul>
      {me.permissions.includes("owner") && (
        <Button disabled={sync.isPending} onClick={() => sync.mutate()}>
          <Icon name="retry" size={18} />
          {sync.isPending ? words.reading : words.readAgain}
        </Button>
      )}
      <div role="alert">{sync.error && <p className="form-error">{sync.error.message}</p>}</div>
    </section>
  )
}
