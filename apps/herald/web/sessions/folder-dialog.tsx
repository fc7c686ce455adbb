import { useQuery, useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useId, useState } from "react"
import { useAgents } from "../agents/use-agents.ts"
import { request } from "../api/http.ts"
import { useShared } from "../app/context.ts"
import { DirectoryPicker, type DirectoryState, directoryAddress, nameOf } from "../files/directory-picker.tsx"
import { words } from "../i18n/en-folders.ts"
import { Button } from "../ui/button.tsx"
import { Dialog } from "../ui/dialog.tsx"
import { Field } from "../ui/field.tsx"
import { FormFoot } from "../ui/form-foot.tsx"
import { type Folder, type FolderForm, foldersApi } from "./folders-api.ts"
import { refreshFolders } from "./use-folders.ts"
import "../styles/folders.css"

/** A folder as it is written: a new one, or one that is changed. */
export default function FolderDialog({
  folder,
  onClose,
}: {
  /** Undefined: a new one. */
  readonly folder: Folder | undefined
  readonly onClose: () => void
}): ReactElement {
  const client = useQueryClient()
  const [problem, setProblem] = useState<string>()
  const [isSaving, setSaving] = useState(false)
  const [directory, setDirectory] = useState(folder?.directory ?? null)
  const save = (form: FolderForm): void => {
    setSaving(true)
    const saving = folder ? foldersApi.update(folder.id, form, folder.version) : foldersApi.create(form)
    saving
      .then(onClose, (error: Error) => setProblem(error.message))
      .finally(() => {
        setSaving(false)
        refreshFolders(client)
      })
  }
  return (
    <Dialog
      title={folder ? words.change(folder.name) : words.make}
      description={words.lead}
      isOpen
      onClose={onClose}
    >
      <form
        className="form folder-form"
        onSubmit={(event) => {
          event.preventDefault()
          const data = new FormData(event.currentTarget)
          const text = (name: string): string => String(data.get(name) ?? "").trim()
          save({
            name: text("name"),
            instructions: text("instructions"),
            agent: text("agent") || null,
            directory,
          })
        }}
      >
        <Field
          label={words.name}
          name="name"
          defaultValue={folder?.name}
          placeholder={words.namePlaceholder}
          required
          maxLength={80}
          autoFocus
        />
        <Instructions initial={folder?.instructions ?? ""} />
        <AgentField initial={folder?.agent ?? null} />
        <DirectoryField directory={directory} onChange={setDirectory} />
        <FormFoot
          problem={problem}
          label={folder ? words.save : words.create}
          isOff={isSaving}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  )
}

function Instructions({ initial }: { readonly initial: string }): ReactElement {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{words.instructions}</label>
      <textarea
        id={id}
        name="instructions"
        rows={4}
        maxLength={8_000}
        defaultValue={initial}
        dir="auto"
        aria-describedby={`${id}-hint`}
      />
      <small id={`${id}-hint`}>{words.instructionsHint}</small>
    </div>
  )
}

/** Absent where there is only one to answer. */
function AgentField({ initial }: { readonly initial: string | null }): ReactElement | null {
  const { agents, default: standard, find } = useAgents()
  const id = useId()
  if (agents.length < 2) return null
  return (
    <div className="field">
      <label htmlFor={id}>{words.agent}</label>
      <select
        id={id}
        name="agent"
        defaultValue={initial === null ? "" : (find(initial)?.name ?? "")}
        aria-describedby={`${id}-hint`}
      >
        <option value="">{words.standard(standard)}</option>
        {agents.slice(1).map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <small id={`${id}-hint`}>{words.agentHint}</small>
    </div>
  )
}

/** Absent where no tool works in directories. */
function DirectoryField({
  directory,
  onChange,
}: {
  readonly directory: string | null
  readonly onChange: (directory: string | null) => void
}): ReactElement | null {
  const { me } = useShared()
  const [isPicking, setPicking] = useState(false)
  // The same for all of a person's chats, also for one that never begins.
  const anyChat = `${me.namespace}:~folder`
  const { data } = useQuery({
    queryKey: ["directory", anyChat],
    queryFn: ({ signal }) => request<DirectoryState>("GET", directoryAddress(anyChat), undefined, signal),
    staleTime: 60_000,
  })
  if (!data || data.roots.length === 0) return null
  return (
    <fieldset className="field folder-directory">
      <legend>{words.directory}</legend>
      {isPicking ? (
        <DirectoryPicker
          namespace={anyChat}
          current={directory}
          roots={data.roots}
          onChoose={async (next) => onChange(next)}
          onClose={() => setPicking(false)}
        />
      ) : (
        <span className="with-button">
          <span className="directory-path">{directory === null ? words.usual : nameOf(directory)}</span>
          <Button onClick={() => setPicking(true)}>{words.changeDirectory}</Button>
        </span>
      )}
      <small>{words.directoryHint}</small>
    </fieldset>
  )
}
