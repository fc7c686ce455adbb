import { useQuery } from "@tanstack/react-query"
import { type ReactElement, useState } from "react"
import { words } from "../i18n/en-settings.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { type McpChange, type OfferedTool, settingsApi } from "./settings-api.ts"

const own = words.mcp

/** Connects to a server, shows its tools, and lets somebody choose among them. */
export function McpTools({
  name,
  server,
  tools,
  allow,
  submit,
  onSubmit,
  onCancel,
}: {
  readonly name: string
  /** What is said of one that is not there yet. */
  readonly server?: McpChange
  /** Those that are on; none means all. */
  readonly tools: readonly string[]
  readonly allow: readonly string[]
  readonly submit: string
  readonly onSubmit: (change: McpChange) => Promise<unknown>
  readonly onCancel: () => void
}): ReactElement {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ["mcp-test", name, server],
    queryFn: () => settingsApi.testServer(name, server ?? {}),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  if (isFetching) return <p className="muted">{own.testing}</p>
  if (error || !data) {
    return (
      <div role="alert">
        <p className="form-error">{error?.message}</p>
        <div className="form-foot">
          <Button onClick={() => void refetch()}>{own.again}</Button>
          <Button look="quiet" onClick={onCancel}>
            {t.cancel}
          </Button>
        </div>
      </div>
    )
  }
  return (
    <Choice
      offered={data.tools}
      tools={tools}
      allow={allow}
      submit={submit}
      onSubmit={onSubmit}
      onCancel={onCancel}
    />
  )
}

function Choice({
  offered,
  tools,
  allow,
  submit,
  onSubmit,
  onCancel,
}: {
  readonly offered: readonly OfferedTool[]
  readonly tools: readonly string[]
  readonly allow: readonly string[]
  readonly submit: string
  readonly onSubmit: (change: McpChange) => Promise<unknown>
  readonly onCancel: () => void
}): ReactElement {
  const all = offered.map(({ name }) => name)
  const [on, setOn] = useState<ReadonlySet<string>>(new Set(tools.length === 0 ? all : tools))
  const [free, setFree] = useState<ReadonlySet<string>>(new Set(allow))
  const [problem, setProblem] = useState<string>()
  const [isSaving, setSaving] = useState(false)
  const save = (): void => {
    if (on.size === 0) {
      setProblem(own.none)
      return
    }
    setSaving(true)
    onSubmit({ tools: [...on], allow: [...free].filter((name) => name.includes("*") || on.has(name)) })
      .catch((error: Error) => setProblem(error.message))
      .finally(() => setSaving(false))
  }
  return (
    <div className="form">
      <p>{own.found(offered.length)}</p>
      <p className="hint">{own.chooseHint}</p>
      <ul className="tool-choices">
        {offered.map(({ name, description }) => (
          <li key={name}>
            <label>
              <input type="checkbox" checked={on.has(name)} onChange={() => setOn(toggled(on, name))} />
              <span>
                <strong>{name}</strong>
                {description !== name && <small>{description}</small>}
              </span>
            </label>
            {on.has(name) && (
              <label className="without-asking">
                <input
                  type="checkbox"
                  checked={free.has(name)}
                  onChange={() => setFree(toggled(free, name))}
                />
                <span>{own.free}</span>
              </label>
            )}
          </li>
        ))}
      </ul>
      <div role="alert">{problem !== undefined && <p className="form-error">{problem}</p>}</div>
      <div className="form-foot">
        <Button look="primary" disabled={isSaving} onClick={save}>
          {isSaving ? words.saving : submit}
        </Button>
        <Button look="quiet" onClick={onCancel}>
          {t.cancel}
        </Button>
      </div>
    </div>
  )
}

function toggled(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(names)
  if (!next.delete(name)) next.add(name)
  return next
}
