import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { request } from "../api/http.ts"
import { words } from "../i18n/en-files.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Dialog } from "../ui/dialog.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import "../styles/files.css"

interface DirectoryState {
  /** Null: the usual one. */
  readonly directory: string | null
  readonly roots: readonly string[]
  readonly folders?: readonly string[]
}

const address = (namespace: string): string => `/api/sessions/${encodeURIComponent(namespace)}/directory`

const nameOf = (path: string): string => path.split(/[/\\]/).findLast((name) => name !== "") ?? path

/** Which folder a chat works in, and the way to another one. There is none where no tool works in folders. */
export default function DirectoryButton({ namespace }: { readonly namespace: string }): ReactElement | null {
  const [isOpen, setOpen] = useState(false)
  const found = useQuery({
    queryKey: ["directory", namespace],
    queryFn: ({ signal }) => request<DirectoryState>("GET", address(namespace), undefined, signal),
    staleTime: 60_000,
  })
  if (!found.data || found.data.roots.length === 0) return null
  const { directory, roots } = found.data
  const folder = directory === null ? undefined : nameOf(directory)
  const label = words.button(folder)
  return (
    <>
      <button
        type="button"
        className={folder === undefined ? "icon-button" : "directory-button"}
        aria-label={label}
        data-tip={label}
        onClick={() => setOpen(true)}
      >
        <Icon name="folder" size={18} />
        {folder !== undefined && <span className="directory-name">{folder}</span>}
      </button>
      <Dialog title={words.title} description={words.lead} isOpen={isOpen} onClose={() => setOpen(false)}>
        <Picker namespace={namespace} current={directory} roots={roots} onClose={() => setOpen(false)} />
      </Dialog>
    </>
  )
}

function Picker({
  namespace,
  current,
  roots,
  onClose,
}: {
  readonly namespace: string
  readonly current: string | null
  readonly roots: readonly string[]
  readonly onClose: () => void
}): ReactElement {
  const client = useQueryClient()
  // The folders that one came through, the last being shown; at first those to choose from.
  const [way, setWay] = useState<readonly string[]>([])
  const [problem, setProblem] = useState<string>()
  const path = way.at(-1)
  const below = useQuery({
    queryKey: ["directory", namespace, path],
    queryFn: ({ signal }) =>
      request<DirectoryState>(
        "GET",
        `${address(namespace)}?${new URLSearchParams({ path: path ?? "" })}`,
        undefined,
        signal,
      ),
    enabled: path !== undefined,
    placeholderData: keepPreviousData,
  })
  const choose = (directory: string | null): void => {
    request("PUT", address(namespace), { directory }).then(
      async () => {
        await client.invalidateQueries({ queryKey: ["directory", namespace] })
        toast(directory === null ? words.usualChosen : words.chosen(nameOf(directory)))
        onClose()
      },
      (error: Error) => setProblem(error.message),
    )
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
