import { useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { api } from "../api/api.ts"
import { words } from "../i18n/en-settings.ts"
import { t } from "../i18n/index.ts"
import { toast } from "../ui/toast.tsx"
import { ProviderForm } from "./provider-form.tsx"
import { useValues } from "./use-values.ts"
import { ValueForm } from "./value-form.tsx"
import { Waiting } from "./waiting.tsx"

/** The model service, and the model for what is light. */
export function ProviderPart(): ReactElement {
  const { data, error } = useQuery({ queryKey: ["settings"], queryFn: ({ signal }) => api.settings(signal) })
  const { value } = useValues()
  if (!data) return <Waiting error={error} />
  return (
    <>
      <ProviderForm
        key={String(data.provider.has_saved)}
        settings={data}
        onSaved={() => toast(t.setup.saved)}
      />
      {data.provider.configured && value("provider.cheap_model") && (
        <section className="panel" aria-label={words.cheap.label}>
          <ValueForm
            options={[{ name: "provider.cheap_model", kind: "text", ...words.cheap }]}
            value={value}
          />
        </section>
      )}
    </>
  )
}
