import { Dialog as Base } from "@base-ui/react/dialog"
import type { ReactElement, ReactNode } from "react"
import { t } from "../i18n/index.ts"
import { Icon } from "./icons.tsx"

/** A modal dialog. Focus goes into it, and back to where it was when it closes. */
export const Dialog = ({
  title,
  description,
  isOpen,
  onClose,
  children,
}: {
  readonly title: string
  readonly description?: string
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactElement => (
  <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
    <Base.Portal>
      <Base.Backdrop className="backdrop" />
      <Base.Viewport className="dialog-viewport">
        <Base.Popup className="dialog">
          <header className="dialog-head">
            <Base.Title className="dialog-title">{title}</Base.Title>
            <Base.Close className="icon-button" aria-label={t.close}>
              <Icon name="close" />
            </Base.Close>
          </header>
          {description && <Base.Description className="dialog-description">{description}</Base.Description>}
          {children}
        </Base.Popup>
      </Base.Viewport>
    </Base.Portal>
  </Base.Root>
)
