import { type ComponentProps, type ReactElement, useEffect, useLayoutEffect, useRef } from "react"

export type Side = "top" | "bottom"
export type Align = "start" | "center" | "end"

/** Between a layer and what it belongs to, and between it and the window's edge, in px. */
const GAP = 6
const EDGE = 8

/**
 * What opens beside a button: above everything, inside the window, closed by Escape or by a press elsewhere. It is
 * rendered beside its button, so that Tab goes on from there; the browser's top layer lets nothing clip it.
 */
export function Layer({
  anchor,
  side,
  align,
  firstFocus = (layer) => layer,
  onDismiss,
  className = "",
  children,
  ...props
}: Omit<ComponentProps<"div">, "ref"> & {
  readonly anchor: HTMLElement
  readonly side: Side
  readonly align: Align
  /** What has the focus when it opens. Default: the layer itself, so that keys go to it. */
  readonly firstFocus?: (layer: HTMLElement) => HTMLElement
  readonly onDismiss: () => void
}): ReactElement {
  const layer = useRef<HTMLDivElement>(null)
  const dismiss = useRef(onDismiss)
  const focus = useRef(firstFocus)
  useEffect(() => {
    dismiss.current = onDismiss
  })
  useLayoutEffect(() => {
    const element = layer.current
    if (!element) return
    const move = (): void => place(element, anchor, side, align)
    const onPress = ({ target }: PointerEvent): void => {
      if (target instanceof Node && !element.contains(target) && !anchor.contains(target)) dismiss.current()
    }
    // A finger that opened it has taken the focus elsewhere when it is lifted.
    const onEscape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || element.contains(document.activeElement)) return
      event.preventDefault()
      event.stopPropagation()
      dismiss.current()
    }
    element.showPopover()
    move()
    focus.current(element).focus()
    document.addEventListener("pointerdown", onPress, true)
    document.addEventListener("keydown", onEscape, true)
    document.addEventListener("scroll", move, true)
    window.addEventListener("resize", move)
    return () => {
      document.removeEventListener("pointerdown", onPress, true)
      document.removeEventListener("keydown", onEscape, true)
      document.removeEventListener("scroll", move, true)
      window.removeEventListener("resize", move)
      element.hidePopover()
    }
  }, [anchor, side, align])
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape is for whatever is inside
    <div
      ref={layer}
      popover="manual"
      tabIndex={-1}
      {...props}
      className={`layer ${className}`}
      onKeyDown={(event) => {
        props.onKeyDown?.(event)
        if (event.key !== "Escape" || event.defaultPrevented) return
        event.preventDefault()
        event.stopPropagation()
        anchor.focus()
        onDismiss()
      }}
    >
      {children}
    </div>
  )
}

/** On the side that was asked for if there is room, else on the one with more; never beyond the window's edge. */
function place(layer: HTMLElement, anchor: HTMLElement, side: Side, align: Align): void {
  const { clientWidth, clientHeight } = document.documentElement
  const at = anchor.getBoundingClientRect()
  const above = at.top - GAP - EDGE
  const below = clientHeight - at.bottom - GAP - EDGE
  const { width, height } = layer.getBoundingClientRect()
  const [asked, other] = side === "top" ? [above, below] : [below, above]
  const isBelow = (side === "bottom") === (height <= asked || asked >= other)
  const isFromRight = getComputedStyle(anchor).direction === "rtl" ? align === "start" : align === "end"
  const left =
    align === "center" ? (at.left + at.right - width) / 2 : isFromRight ? at.right - width : at.left
  layer.style.setProperty("--available-height", `${isBelow ? below : above}px`)
  layer.style.left = `${Math.max(EDGE, Math.min(left, clientWidth - width - EDGE))}px`
  layer.style.top = isBelow ? `${at.bottom + GAP}px` : "auto"
  layer.style.bottom = isBelow ? "auto" : `${clientHeight - at.top + GAP}px`
}
