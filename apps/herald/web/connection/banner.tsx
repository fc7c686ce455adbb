import { type ReactElement, useEffect, useState } from "react"
import { useConnectionStatus, useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"

/** A hiccup shorter than this is nobody's business, in ms. */
const PATIENCE = 700

/** Says that the connection is gone, what happens next, and that nothing written is lost. */
export function ConnectionBanner(): ReactElement {
  const { connection } = useShared()
  const { state, retryAt } = useConnectionStatus()
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    if (state !== "offline") return setShown(false)
    const timer = setTimeout(() => setShown(true), PATIENCE)
    return () => clearTimeout(timer)
  }, [state])
  const now = useNow(1_000, isShown)
  const wait = retryAt === undefined ? 0 : Math.ceil((retryAt - now) / 1_000)
  return (
    <div role="status" aria-live="polite">
      {isShown && (
        <div className="banner">
          <span>
            {navigator.onLine ? t.connection.lost : t.connection.offline} {t.connection.kept}{" "}
            <span aria-hidden="true">{wait > 0 ? t.connection.retrying(wait) : t.connection.connecting}</span>
          </span>
          <Button look="quiet" onClick={connection.retryNow}>
            {t.connection.retryNow}
          </Button>
        </div>
      )}
    </div>
  )
}
