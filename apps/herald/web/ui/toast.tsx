import { type ReactElement, useEffect, useState, useSyncExternalStore } from "react"
import { createPortal } from "react-dom"
import { t } from "../i18n/index.ts"
import { IconButton } from "./button.tsx"

interface Toast {
  readonly id: number
  readonly text: string
  readonly action?: { readonly label: string; readonly run: () => void }
}

/** Long enough to read it and to reach the button. */
const SHOWN_MS = 9_000

let toasts: readonly Toast[] = []
let nextId = 1
const listeners = new Set<() => void>()

function set(next: readonly Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

const dismiss = (id: number): void => set(toasts.filter((toast) => toast.id !== id))

export function toast(text: string, action?: Toast["action"]): void {
  set([...toasts.slice(-2), { id: nextId++, text, ...(action && { action }) }])
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Where toasts appear. It is there from the start, so that screen readers hear what comes. */
export function Toasts(): ReactElement {
  const shown = useSyncExternalStore(subscribe, () => toasts)
  const modal = useModal(shown.length > 0)
  const cards = shown.map((entry) => <ToastCard key={entry.id} toast={entry} />)
  return (
    <>
      <section className="toasts" role="status" aria-live="polite" aria-label={t.notifications}>
        {!modal && cards}
      </section>
      {modal &&
        createPortal(
          // It was not there before: only as an alert is it heard all the same.
          <div className="toasts" role="alert">
            {cards}
          </div>,
          modal,
        )}
    </>
  )
}

/** What has taken the page over just now: outside of it nothing can be pressed. */
function useModal(isWanted: boolean): Element | undefined {
  const [, setClosed] = useState(0)
  const modal = isWanted ? [...document.querySelectorAll("dialog[open]")].at(-1) : undefined
  useEffect(() => {
    const onClose = (): void => setClosed((times) => times + 1)
    modal?.addEventListener("close", onClose)
    return () => modal?.removeEventListener("close", onClose)
  }, [modal])
  return modal
}

function ToastCard({ toast: { id, text, action } }: { readonly toast: Toast }): ReactElement {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [id])
  return (
    <div className="toast">
      <span>{text}</span>
      {action && (
        <button
          type="button"
          className="button quiet accent"
          onClick={() => {
            action.run()
            dismiss(id)
          }}
        >
          {action.label}
        </button>
      )}
      <IconButton icon="close" size={16} label={t.dismiss} onClick={() => dismiss(id)} />
    </div>
  )
}
