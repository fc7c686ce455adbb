import { type ReactElement, useEffect, useRef } from "react"
import { words } from "../i18n/en-preview.ts"
import { Button } from "../ui/button.tsx"

type Told = Readonly<Record<string, unknown>>

/**
 * Shows a page that somebody else wrote. It runs in an origin of its own, under the rules that the server gives it: no
 * network, no storage, nothing of this page.
 */
export function Frame({
  html,
  title,
  className,
  height,
  onMessage,
}: {
  readonly html: string
  readonly title: string
  readonly className: string
  /** In px. Default: that of the style sheet. */
  readonly height?: number
  /** What the page says; it may be anything. */
  readonly onMessage?: (told: Told) => void
}): ReactElement {
  const frame = useRef<HTMLIFrameElement>(null)
  const listener = useRef(onMessage)
  useEffect(() => {
    listener.current = onMessage
  })
  useEffect(() => {
    const listen = ({ source, data }: MessageEvent<unknown>): void => {
      const inside = frame.current?.contentWindow
      if (!inside || source !== inside || typeof data !== "object" || data === null) return
      const told = data as Told
      // Its origin is opaque: there is no name to send to, and nobody else in it.
      if (told["type"] === "ready") inside.postMessage({ html }, "*")
      else listener.current?.(told)
    }
    addEventListener("message", listen)
    return () => removeEventListener("message", listen)
  }, [html])
  return (
    <div className="preview-frame">
      <iframe
        key={html}
        ref={frame}
        className={className}
        src="/api/preview"
        sandbox="allow-scripts"
        title={title}
        style={{ height }}
      />
      <Button look="quiet" className="preview-full" onClick={() => void frame.current?.requestFullscreen()}>
        {words.fullScreen}
      </Button>
    </div>
  )
}
