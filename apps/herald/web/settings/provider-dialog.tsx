import { useQuery } from "@tanstack/react-query"
import type { ReactElement } from "react"
import { api } from "../api/api.ts"
import { t } from "../i18n/index.ts"
import { Dialog } from "../ui/dialog.tsx"
import { toast } from "../ui/toast.tsx"
import { ProviderForm } from "./provider-form.tsx"

export function ProviderDialog({
  isOpen,
  onClose,
}: {
  readonly isOpen: boolean
  readonly onClose: () => void
}): ReactElement {
  const { data } = useQuery({
    queryKey: ["settings"],
    queryFn: ({ signal }) => api.settings(signal),
    enabled: isOpen,
  })
  return (
    <Dialog title={t.setup.editTitle} isOpen={isOpen} onClose={onClose}>
      {data ? (
        <ProviderForm
          key={String(data.provider.has_saved)}
          settings={data}
          onSaved={() => {
            toast(t.setup.saved)
            onClose()
          }}
        />
      ) : (
        <p className="muted">{t.loading}</p>
      )}
    </Dialog>
  )
}
