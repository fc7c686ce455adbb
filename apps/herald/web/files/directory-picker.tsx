import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { request } from "../api/http.ts"
import { words } from "../i18n/en-files.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import "../styles/files.css"

export interface DirectoryState {
  /** Null: the usual one. */
  readonly directory: string | null
  readonly roots: readonly string[]
  readonly folders?: readonly string[]
}

export const directoryAddress = (namespace: string): string =>
  `/api/sessions/${encodeURIComponent(namespace)}/directory`

export const nameOf = (path: string): string => path.split(/[/\\]/).findLast((name) => name !== "") ?? path

/** Folders to work in, of those that a person may. */
export function DirectoryPicker({
  namespace,
  current,
  roots,
  onChoose,
  onClose,
}: {
  /** Any chat of the person's. */
  readonly namespace: string
  readonly current: string | null
  readonly roots: readonly string[]
  /** Null: the usual one. What it throws is said here. */
  readonly onChoose: (directory: string | null) => Promise<void>
  readonly onClose: () => void
}): ReactElement {
  // The folders that one came through, the last being shown; at first those to choose from.
  const [way, setWay] = useState<readonly string[]>([])
  const [problem, setProblem] = useState<string>()
  const path = way.at(-1)
  const below = useQuery({
    queryKey: ["directory", namespace, path],
    queryFn: ({ signal }) =>
      request<DirectoryState>(
        "GET",
        `${directoryAddress(namespace)}?${new URLSearchParams({ path: path ?? "" })}`,
        undefined,
        signal,
      ),
    enabled: path !== undefined,
    placeholderData: keepPreviousData,
  })
  const choose = (directory: string | null): void => {
    onChoose(directory).then(onClose, (error: Error) => setProblem(error.message))
  }
  // The server names it last.
  const own = roots.at(-1)
  const shown = path === undefined ? roots : (below.data?.folders ?? [])
  return (
    <div className="directory-picker">
      {path !== undefined && (
        <div className="directory-way">
          <Button look="quiet" onClick={() => setWay(way.slice(0, -1))}>
            <Icon name="left" size={16} />
            {words.up}
          </Button>
          <span className="directory-path">{path}</span>
        </div>
      )}
      <ul className="directories" aria-label={path === undefined ? words.roots : words.below(nameOf(path))}>
        {shown.map((folder) => (
          <li key={folder}>
            <button
              type="button"
              className="directory"
              aria-current={folder === current || undefined}
              onClick={() => setWay([...way, folder])}
            >
              <Icon name="folder" size={18} />
              <span>
                {folder === own ? words.own : nameOf(folder)}
                {path === undefined && <small>{folder}</small>}
              </span>
              {folder === current && <Icon name="check" size={16} />}
              <Icon name="right" size={16} />
            </button>
          </li>
        ))}
      </ul>
      {path !== undefined && below.isSuccess && shown.length === 0 && <p className="muted">{words.none}</p>}
      <div role="alert">
        {(problem ?? below.error?.message) !== undefined && (
          <p className="form-error">{problem ?? below.error?.message}</p>
        )}
      </div>
      <div className="form-foot">
        {path !== undefined && (
          <Button look="primary" onClick={() => choose(path)}>
            {words.choose}
          </Button>
        )}
        {current !== null && <Button onClick={() => choose(null)}>{words.usual}</Button>}
        <Button look="quiet" onClick={onClose}>
          {t.cancel}
        </Button>
      </div>
    </div>
  )
}
