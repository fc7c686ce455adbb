import { createElement, type ReactNode, useEffect, useMemo, useState } from "react"
import type { MathToken } from "./math-tokens.ts"
import type { MathElement, typeset } from "./typeset.ts"

/** What sets formulas is large, so it comes with the first one; until then, and when it fails, the source is shown. */
let ready: typeof typeset | undefined

export function Formula({ raw, tex, isDisplay }: Omit<MathToken, "type">): ReactNode {
  const [set, setSet] = useState(() => ready)
  useEffect(() => {
    if (set || tex === undefined) return
    let isCurrent = true
    import("./typeset.ts").then(
      (module) => {
        ready = module.typeset
        if (isCurrent) setSet(() => module.typeset)
      },
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [set, tex])
  const math = useMemo(() => (tex === undefined ? undefined : set?.(tex, isDisplay)), [set, tex, isDisplay])
  if (!math) return <span className={isDisplay ? "formula-source" : undefined}>{raw.trim()}</span>
  if (!isDisplay) return asElement(math)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide formula is scrolled with the keyboard
    <span className="formula" tabIndex={0}>
      {asElement(math)}
    </span>
  )
}

const asElement = ({ tag, attributes, children }: MathElement): ReactNode =>
  createElement(
    tag,
    attributes,
    ...children.map((child) => (typeof child === "string" ? child : asElement(child))),
  )
