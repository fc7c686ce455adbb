import { type ComponentProps, type ReactElement, useLayoutEffect, useRef } from "react"
import { createPortal } from "react-dom"

/**
 * What takes the page over until it is closed, by Escape or a press beside it. Focus goes into it, stays there, and
 * goes back to where it was: a dialog of the browser's own. It needs a name: `aria-label` or `aria-labelledby`.
 */
export function Modal({
  onDismiss,
  children,
  ...props
}: ComponentProps<"dialog"> & { readonly onDismiss: () => void }): ReactElement {
  const modal = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => {
    const element = modal.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return createPortal(
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key is Escape, which arrives as cancel
    <dialog
      ref={modal}
      {...props}
      onCancel={(event) => {
        if (event.target !== event.currentTarget) return
        event.preventDefault()
        onDismiss()
      }}
      // A browser that is asked twice closes it by itself.
      onClose={({ currentTarget }) => currentTarget.open || onDismiss()}
      onClick={({ target, currentTarget }) => target === currentTarget && onDismiss()}
    >
      {children}
    </dialog>,
    document.body,
  )
}
