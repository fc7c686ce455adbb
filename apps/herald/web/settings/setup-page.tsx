import type { ReactElement } from "react"
import type { Settings } from "../api/types.ts"
import { t } from "../i18n/index.ts"
import { Mark } from "../ui/icons.tsx"
import { ProviderForm } from "./provider-form.tsx"

/** The first start: nothing can be answered before a model is connected. */
export default function SetupPage({ settings }: { readonly settings: Settings }): ReactElement {
  return (
    <main className="card-page">
      <section className="card">
        <Mark size={40} />
        <h1>{t.setup.title}</h1>
        <p className="muted">{t.setup.lead}</p>
        <ProviderForm settings={settings} onSaved={() => undefined} />
      </section>
    </main>
  )
}
