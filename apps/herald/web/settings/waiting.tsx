import type { ReactElement } from "react"
import { t } from "../i18n/index.ts"

/** What stands in a place whose content is not there: it is on its way, or why it is not. */
export const Waiting = ({ error }: { readonly error: Error | null }): ReactElement =>
  error ? (
    <p className="form-error" role="alert">
      {error.message}
    </p>
  ) : (
    <p className="muted">{t.loading}</p>
  )
