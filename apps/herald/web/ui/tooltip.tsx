import { type ReactElement, useEffect, useRef, useState } from "react"

/** A pointer that only passes shows nothing, in ms. */
const DELAY_MS = 450
const GAP = 6
const EDGE = 8

interface Shown {
  readonly of: Element
  readonly text: string
  readonly keys: string | null
}

/**
 * The one tooltip of the page: what `data-tip` says (and `data-keys`, a shortcut) of what the pointer rests on or the
 * keyboard reached. It stays while the pointer is on it, and goes with Escape. Buttons carry their label themselves.
 */
export function Tips(): ReactElement {
  const [shown, setShown] = useState<Shown>()
  const tip = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = (target: EventTarget | null, delay: number): void => {
      clearTimeout(timer)
      if (target instanceof Node && tip.current?.contains(target)) return
      const of = target instanceof Element ? target.closest("[data-tip]") : null
      timer = setTimeout(
        () =>
          setShown(
            of
              ? { of, text: of.getAttribute("data-tip") ?? "", keys: of.getAttribute("data-keys") }
              : undefined,
          ),
        delay,
      )
    }
    const hide = (): void => {
      clearTimeout(timer)
      setShown(undefined)
    }
    const onOver = ({ target, pointerType }: PointerEvent): void => {
      if (pointerType !== "touch") show(target, DELAY_MS)
    }
    const onFocus = ({ target }: FocusEvent): void => {
      if (target instanceof Element && target.matches(":focus-visible")) show(target, 0)
    }
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") hide()
    }
    document.addEventListener("pointerover", onOver)
    document.addEventListener("focusin", onFocus)
    document.addEventListener("focusout", hide)
    document.addEventListener("pointerdown", hide, true)
    document.addEventListener("keydown", onKey, true)
    document.addEventListener("scroll", hide, true)
    return () => {
      clearTimeout(timer)
      document.removeEventListener("pointerover", onOver)
      document.removeEventListener("focusin", onFocus)
      document.removeEventListener("focusout", hide)
      document.removeEventListener("pointerdown", hide, true)
      document.removeEventListener("keydown", onKey, true)
      document.removeEventListener("scroll", hide, true)
    }
  }, [])
  useEffect(() => {
    const element = tip.current
    if (!element || !shown?.of.isConnected) return
    element.showPopover()
    const at = shown.of.getBoundingClientRect()
    const { width, height } = element.getBoundingClientRect()
    const { clientWidth } = document.documentElement
    const left = (at.left + at.right - width) / 2
    element.style.left = `${Math.max(EDGE, Math.min(left, clientWidth - width - EDGE))}px`
    element.style.top = `${at.top - GAP - height >= EDGE ? at.top - GAP - height : at.bottom + GAP}px`
    return () => element.hidePopover()
  }, [shown])
  return (
    <div ref={tip} popover="manual" className="tip" aria-hidden="true">
      {shown?.text}
      {shown?.keys && <kbd>{shown.keys}</kbd>}
    </div>
  )
}
