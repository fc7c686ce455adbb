import { type CSSProperties, type ReactElement, useRef, useState } from "react"
import { keep, recall } from "../app/storage.ts"
import { words } from "../i18n/en-artifacts.ts"

/** In percent of the window. */
const LEAST = 25
const MOST = 75
const FIRST = 46
const STEP = 2
const KEY = "beside-width"

const within = (width: number): number => Math.min(MOST, Math.max(LEAST, width))

/** How wide the panel is, which this browser remembers, and what it is changed with: the pointer, or the arrow keys. */
export function useWidth(): { readonly style: CSSProperties; readonly separator: ReactElement } {
  const [width, setWidth] = useState(() => within(Number(recall(KEY) ?? FIRST) || FIRST))
  const isHeld = useRef(false)
  const change = (next: number): void => {
    setWidth(within(next))
    keep(KEY, String(Math.round(within(next))))
  }
  const separator = (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved
    <div
      className="beside-edge"
      role="separator"
      tabIndex={0}
      aria-label={words.width}
      aria-orientation="vertical"
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      aria-valuenow={Math.round(width)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        isHeld.current = true
      }}
      onPointerMove={({ clientX, currentTarget }) => {
        if (!isHeld.current) return
        const fromEnd = isRtl(currentTarget) ? clientX : innerWidth - clientX
        change((fromEnd / innerWidth) * 100)
      }}
      onLostPointerCapture={() => {
        isHeld.current = false
      }}
      onKeyDown={(event) => {
        const wider = isRtl(event.currentTarget) ? "ArrowRight" : "ArrowLeft"
        const narrower = isRtl(event.currentTarget) ? "ArrowLeft" : "ArrowRight"
        if (event.key === wider) change(width + STEP)
        else if (event.key === narrower) change(width - STEP)
        else if (event.key === "Home") change(LEAST)
        else if (event.key === "End") change(MOST)
        else return
        event.preventDefault()
      }}
    />
  )
  return { style: { inlineSize: `${width}vw` }, separator }
}

const isRtl = (element: Element): boolean => getComputedStyle(element).direction === "rtl"
