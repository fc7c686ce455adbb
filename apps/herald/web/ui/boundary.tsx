import { Component, type ReactElement, type ReactNode, Suspense } from "react"
import { t } from "../i18n/index.ts"
import { Button } from "./button.tsx"
import { Icon } from "./icons.tsx"

interface BoundaryProps {
  readonly children: ReactNode
  /** What there is instead of what broke. Default: a note that says so. */
  readonly without?: ReactNode
}

/**
 * What breaks stays inside: a part of the page that cannot be loaded any more, since Herald was updated meanwhile, or that
 * throws. Everything around it goes on.
 */
export class Boundary extends Component<BoundaryProps, { readonly isBroken: boolean }> {
  override state = { isBroken: false }

  static getDerivedStateFromError = (): { readonly isBroken: boolean } => ({ isBroken: true })

  override render(): ReactNode {
    const { children, without } = this.props
    if (!this.state.isBroken) return children
    if (without !== undefined) return without
    return (
      <div className="note error-note" role="alert">
        <Icon name="warning" />
        <div className="note-text">
          <strong>{t.broken.title}</strong>
          <p>{t.broken.lead}</p>
          <div className="note-actions">
            <Button look="primary" onClick={() => location.reload()}>
              {t.broken.reload}
            </Button>
          </div>
        </div>
      </div>
    )
  }
}

/** What is loaded when it is first shown; until then there is `fallback`. */
export const Lazily = ({
  fallback = null,
  children,
  ...props
}: BoundaryProps & { readonly fallback?: ReactNode }): ReactElement => (
  <Boundary {...props}>
    <Suspense fallback={fallback}>{children}</Suspense>
  </Boundary>
)
