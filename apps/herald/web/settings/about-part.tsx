import { useMutation, useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { words } from "../i18n/en-settings.ts"
import { formatFullTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { settingsApi } from "./settings-api.ts"
import { useTakeValues, useValues } from "./use-values.ts"
import { ValueForm } from "./value-form.tsx"
import { Waiting } from "./waiting.tsx"

const own = words.about

/** This Herald: what it is, where its data is, and its configuration file. */
export function AboutPart(): ReactElement {
  const { data: values, value, error: unread } = useValues()
  const { data: about, error: unknown } = useQuery({
    queryKey: ["about"],
    queryFn: ({ signal }) => settingsApi.about(signal),
  })
  const take = useTakeValues()
  const reload = useMutation({ mutationFn: settingsApi.reload, onSuccess: take })
  if (!about || !values) return <Waiting error={unread ?? unknown} />
  const { changed } = reload.data ?? {}
  return (
    <>
      <dl className="facts">
        {[
          [own.version, about.version],
          [own.node, about.node],
          [own.started, formatFullTime(about.started_at)],
          [own.data, about.data],
          [own.size, megabytes(about.bytes)],
        ].map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <section className="panel" aria-label={own.file}>
        <h3>{own.file}</h3>
        <p>{values.file === null ? own.noFile : <code>{values.file}</code>}</p>
        <p className="hint">{own.fileHint}</p>
        {values.waiting.length > 0 && (
          <p className="note quiet-note">{own.waiting(values.waiting.join(", "))}</p>
        )}
        {values.notices.map((notice) => (
          <p key={notice} className="note quiet-note">
            {notice}
          </p>
        ))}
        <div className="form-foot">
          <Button disabled={reload.isPending} onClick={() => reload.mutate()}>
            {reload.isPending ? own.reloading : own.reload}
          </Button>
        </div>
        <div role="status">
          {changed && (
            <p className="hint">{changed.length === 0 ? own.same : own.changed(changed.join(", "))}</p>
          )}
        </div>
        <div role="alert">
          {reload.error && (
            <div className="form-error">
              <strong>{own.refused}</strong>
              <pre>{reload.error.message}</pre>
            </div>
          )}
        </div>
      </section>
      <ValueForm
        options={[{ name: "logging.level", label: own.log, kind: "choice", choices: own.levels }]}
        value={value}
      />
    </>
  )
}

const megabytes = (bytes: number): string =>
  `${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(bytes / 1_000_000)} MB`
