import { type ReactElement, useLayoutEffect, useRef } from "react"
import { Coloured } from "../markdown/code-block.tsx"

/** Nearer to the end than this counts as being there, in px. */
const AT_END = 32

/** A code as it is written. While more of it comes the end stays in sight of whoever is there. */
export function Source({
  code,
  language,
  isProse,
  isGrowing,
}: {
  readonly code: string
  readonly language: string
  readonly isProse: boolean
  readonly isGrowing: boolean
}): ReactElement {
  const text = useRef<HTMLPreElement>(null)
  const isAtEnd = useRef(isGrowing)
  useLayoutEffect(() => {
    const element = text.current
    if (element && isGrowing && isAtEnd.current) element.scrollTop = element.scrollHeight
  }, [code, isGrowing])
  return (
    <pre
      ref={text}
      className={isProse ? "beside-source wrapped" : "beside-source"}
      dir={isProse ? "auto" : "ltr"}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight <= AT_END
      }}
    >
      <code>{isGrowing ? code : <Coloured code={code} language={language} />}</code>
    </pre>
  )
}
