import { type ReactElement, useRef, useState } from "react"
import { ApiError } from "../api/http.ts"
import { base64Of } from "../files/base64.ts"
import { words } from "../i18n/en-documents.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import { documentsApi } from "./documents-api.ts"

const MAX_BYTES = 20_000_000
const ACCEPT = ".md,.markdown,.mdx,.txt,.text,.rst,.adoc,.org,.html,.htm,.xhtml,.pdf,text/*,application/pdf"

/** Takes files: chosen, or dropped. They are sent one after the other; what is wrong with one keeps no other back. */
export function Upload({ onAdded }: { readonly onAdded: () => Promise<unknown> }): ReactElement {
  const [current, setCurrent] = useState<string>()
  const [done, setDone] = useState<readonly string[]>([])
  const [problems, setProblems] = useState<readonly string[]>([])
  const [isDropping, setDropping] = useState(false)
  const picker = useRef<HTMLInputElement>(null)

  const send = async (file: File): Promise<string | undefined> => {
    if (file.size > MAX_BYTES) return words.tooLarge(file.name)
    try {
      const data = await base64Of(file)
      const { replaced, warning, failure } = await documentsApi.upload(file.name, data)
      const said = replaced ? words.replaced(file.name) : words.added(file.name)
      setDone((before) => [...before, said])
      await onAdded()
      return warning ?? failure
    } catch (error) {
      const { code, message } = error instanceof ApiError ? error : { code: "", message: words.unreadable }
      return words.refused[code]?.(file.name) ?? words.failedUpload(file.name, message)
    }
  }
  const add = async (files: readonly File[]): Promise<void> => {
    setProblems([])
    setDone([])
    for (const file of files) {
      setCurrent(file.name)
      const problem = await send(file)
      if (problem !== undefined) setProblems((before) => [...before, problem])
    }
    setCurrent(undefined)
  }

  return (
    <form
      className={isDropping ? "drop-zone dropping" : "drop-zone"}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return
        event.preventDefault()
        setDropping(true)
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDropping(false)
      }}
      onDrop={(event) => {
        event.preventDefault()
        setDropping(false)
        void add([...event.dataTransfer.files])
      }}
    >
      <Icon name="file" size={28} />
      <p>
        <Button look="primary" disabled={current !== undefined} onClick={() => picker.current?.click()}>
          {words.choose}
        </Button>{" "}
        <span className="muted">{isDropping ? words.dropHere : words.drop}</span>
      </p>
      <input
        ref={picker}
        type="file"
        multiple
        accept={ACCEPT}
        className="off-screen"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(event) => {
          void add([...(event.target.files ?? [])])
          event.target.value = ""
        }}
      />
      <p role="status" className="muted">
        {current === undefined ? done.join(" ") : words.uploading(current)}
      </p>
      <div role="alert" className="drop-problems">
        {problems.map((problem) => (
          <p key={problem} className="form-error">
            {problem}
          </p>
        ))}
      </div>
    </form>
  )
}
