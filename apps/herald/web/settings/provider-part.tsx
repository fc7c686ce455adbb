import { useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { api } from "../api/api.ts"
import { t } from "../i18n/index.ts"
import { toast } from "../ui/toast.tsx"
import { ProviderForm } from "./provider-form.tsx"

/** The model service. */
export function ProviderPart(): ReactElement {
  const { data } = useQuery({ queryKey: ["settings"], queryFn: ({ signal }) => api.settings(signal) })
  if (!data) return <p className="muted">{t.loading}</p>
  return (
    <ProviderForm
      key={String(data.provider.has_saved)}
      settings={data}
      onSaved={() => toast(t.setup.saved)}
    />
  )
}
