import { useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { request } from "../api/http.ts"
import { words } from "../i18n/en-files.ts"
import { Dialog } from "../ui/dialog.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { DirectoryPicker, type DirectoryState, directoryAddress, nameOf } from "./directory-picker.tsx"
import "../styles/files.css"

/** Which folder a chat works in, and the way to another one. There is none where no tool works in folders. */
export default function DirectoryButton({ namespace }: { readonly namespace: string }): ReactElement | null {
  const client = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const found = useQuery({
    queryKey: ["directory", namespace],
    queryFn: ({ signal }) => request<DirectoryState>("GET", directoryAddress(namespace), undefined, signal),
    staleTime: 60_000,
  })
  if (!found.data || found.data.roots.length === 0) return null
  const { directory, roots } = found.data
  const folder = directory === null ? undefined : nameOf(directory)
  const label = words.button(folder)
  const choose = async (next: string | null): Promise<void> => {
    type Chosen = Pick<DirectoryState, "directory">
    const { directory: now } = await request<Chosen>("PUT", directoryAddress(namespace), { directory: next })
    await client.invalidateQueries({ queryKey: ["directory", namespace] })
    // Without one of its own a chat works in that of the folder it is in.
    toast(now === null ? words.usualChosen : words.chosen(nameOf(now)))
  }
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
        <DirectoryPicker
          namespace={namespace}
          current={directory}
          roots={roots}
          onChoose={choose}
          onClose={() => setOpen(false)}
        />
      </Dialog>
    </>
  )
}
