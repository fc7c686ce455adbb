import { useMutation, useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { words } from "../i18n/en-settings.ts"
import { Button } from "../ui/button.tsx"
import { CopyButton } from "../ui/copy-button.tsx"
import { settingsApi } from "./settings-api.ts"

const own = words.updates

/** Newer versions: asked for when somebody says so, and never put in place from here. */
export function UpdatesPart(): ReactElement {
  const { data: about } = useQuery({
    queryKey: ["about"],
    queryFn: ({ signal }) => settingsApi.about(signal),
  })
  const { data, error, isPending, mutate } = useMutation({ mutationFn: settingsApi.checkUpdate })
  return (
    <>
      <p className="muted">{own.lead}</p>
      {about && <p>{own.current(about.version)}</p>}
      <div className="form-foot">
        <Button look="primary" disabled={isPending} onClick={() => mutate()}>
          {isPending ? own.checking : own.check}
        </Button>
      </div>
      <div role="status">
        {data && !data.isNewer && <p className="note quiet-note">{own.newest}</p>}
        {data?.isNewer && (
          <div className="panel">
            <h3>{own.newer(data.version)}</h3>
            <p>{own.how}</p>
            <div className="command-line">
              <code>{data.command}</code>
              <CopyButton text={() => data.command} label={own.copy} />
            </div>
            {data.notes ? <pre className="notes">{data.notes}</pre> : <p className="hint">{own.noNotes}</p>}
          </div>
        )}
      </div>
      <div role="alert">{error && <p className="form-error">{error.message}</p>}</div>
    </>
  )
}
