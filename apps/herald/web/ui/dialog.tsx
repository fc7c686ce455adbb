import { type ReactElement, type ReactNode, useId } from "react"
import { t } from "../i18n/index.ts"
import { Icon } from "./icons.tsx"
import { Modal } from "./modal.tsx"

/** A modal dialog. Focus goes into it, and back to where it was when it closes. */
export function Dialog({
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
}): ReactElement | null {
  const id = useId()
  if (!isOpen) return null
  return (
    <Modal
      className="dialog"
      aria-labelledby={id}
      aria-describedby={description === undefined ? undefined : `${id}-more`}
      onDismiss={onClose}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={id} className="dialog-title">
            {title}
          </h2>
          <button type="button" className="icon-button" aria-label={t.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {description && (
          <p id={`${id}-more`} className="dialog-description">
            {description}
          </p>
        )}
        {children}
      </div>
    </Modal>
  )
}
