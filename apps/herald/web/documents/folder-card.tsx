import { type ReactElement, useState } from "react"
import { words } from "../i18n/en-documents.ts"
import { formatDay, formatNumber, formatTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { DocumentList, useDocuments } from "./document-list.tsx"
import type { FolderInfo } from "./documents-api.ts"

/** A folder that is followed: how it stands, and on request its documents. */
export function FolderCard({ folder }: { readonly folder: FolderInfo }): ReactElement {
  const [isOpen, setOpen] = useState(false)
  const { name, shared, documents, path, error, failed = [], failedCount = 0 } = folder
  return (
    <li className="record folder">
      <div className="record-body">
        <p className="folder-name">
          <Icon name="folder" size={18} />
          {name}
        </p>
        <p className="record-facts">
          <span>{words.count(documents, formatNumber(documents))}</span>
          <span>{stateText(folder)}</span>
          {shared && <span>{words.shared}</span>}
          {path !== undefined && <span className="record-path">{path}</span>}
        </p>
        {error !== undefined && <p className="form-error">{error}</p>}
        {failedCount > 0 && (
          <details className="folder-failed">
            <summary>{words.unread(failedCount, formatNumber(failedCount))}</summary>
            <ul>
              {failed.map((file) => (
                <li key={file.path}>{file.error}</li>
              ))}
            </ul>
          </details>
        )}
        {documents > 0 && (
          <Button look="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? words.hide : words.show}
          </Button>
        )}
        {isOpen && <FolderDocuments name={name} />}
      </div>
    </li>
  )
}

const FolderDocuments = ({ name }: { readonly name: string }): ReactElement => (
  <DocumentList label={name} found={useDocuments(name)} />
)

function stateText({ state, at }: FolderInfo): string {
  if (state === "failed") return words.failedFolder
  if (state === "reading") return words.reading
  return at === undefined ? words.waiting : words.read(formatDay(at, Date.now()), formatTime(at))
}
