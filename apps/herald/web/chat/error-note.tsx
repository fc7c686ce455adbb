import type { ReactElement, ReactNode } from "react"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { copyText } from "../ui/copy-button.tsx"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"

export const errorTitle = (code: string): string => t.errors[code] ?? t.errors["other"] ?? ""

/** What went wrong, in the reader's words first and the service's after, and what can be done about it. */
export function ErrorNote({
  code,
  message,
  details,
  onRetry,
  children,
}: {
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly onRetry?: (() => void) | undefined
  readonly children?: ReactNode
}): ReactElement {
  const copy = (): void => {
    const text = JSON.stringify({ code, message, ...details, at: new Date().toISOString() }, null, 2)
    copyText(text).then(
      () => toast(t.copied),
      () => undefined,
    )
  }
  return (
    <div className="note error-note">
      <Icon name="warning" />
      <div className="note-text">
        <strong>{errorTitle(code)}</strong>
        {message && <p>{message}</p>}
        <div className="note-actions">
          {onRetry && (
            <Button look="primary" onClick={onRetry}>
              {t.retry}
            </Button>
          )}
          {children}
          <Button look="quiet" onClick={copy}>
            {t.chat.copyDetails}
          </Button>
        </div>
      </div>
    </div>
  )
}
