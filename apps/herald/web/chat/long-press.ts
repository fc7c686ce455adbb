import type { PointerEvent } from "react"

/** As long as phones take it for one, in ms; a finger that moves further than this, in px, scrolls. */
const LONG_MS = 500
const SLACK = 10

/** A long press of a finger opens the menu of the message that it is on. */
export function onPress(event: PointerEvent<HTMLElement>): void {
  if (event.pointerType !== "touch" || !(event.target instanceof Element)) return
  // What has a meaning of its own under a finger keeps it.
  if (event.target.closest("a, button, input, textarea, pre, table")) return
  const menu = event.target.closest("article")?.querySelector<HTMLElement>(".message-more")
  if (!menu) return
  const { clientX, clientY } = event
  const controller = new AbortController()
  const { signal } = controller
  const end = (): void => {
    clearTimeout(timer)
    controller.abort()
  }
  const timer = setTimeout(() => {
    controller.abort()
    getSelection()?.removeAllRanges()
    menu.click()
  }, LONG_MS)
  document.addEventListener(
    "pointermove",
    (move) => Math.hypot(move.clientX - clientX, move.clientY - clientY) > SLACK && end(),
    { signal },
  )
  document.addEventListener("pointerup", end, { signal })
  document.addEventListener("pointercancel", end, { signal })
  document.addEventListener("contextmenu", (menuEvent) => menuEvent.preventDefault(), { signal, once: true })
}
