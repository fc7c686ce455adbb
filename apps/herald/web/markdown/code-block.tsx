import { lazy, memo, type ReactElement, useContext, useEffect, useState } from "react"
import { isLarge } from "../artifacts/kind.ts"
import { OpenContext } from "../artifacts/open.ts"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { IconButton } from "../ui/button.tsx"
import { CopyButton } from "../ui/copy-button.tsx"
import { download } from "../ui/download.ts"
import type { Piece } from "./highlight.ts"
import { fileNameOf, languageOf } from "./languages.ts"

const Preview = lazy(() => import("../preview/preview.tsx"))

/** What can be shown as what it is: a page on request, a diagram at once. */
const SHOWN = /^(?:html|svg|mermaid)$/i
const DIAGRAM = /^mermaid$/i

/** Code with its language, and what one does with code. It is coloured once it is complete. */
export const CodeBlock = memo(function CodeBlock({
  code,
  language,
  isGrowing,
}: {
  readonly code: string
  readonly language: string
  readonly isGrowing: boolean
}): ReactElement {
  const [isWrapped, setWrapped] = useState(false)
  const [wantsPreview, setPreview] = useState(DIAGRAM.test(language))
  const isPreview = wantsPreview && !isGrowing && SHOWN.test(language)
  const open = useContext(OpenContext)
  const label = language || t.code.plain
  return (
    <figure className="code-block" aria-label={t.code.label(label)}>
      <figcaption>
        <span className="code-language">{label}</span>
        <span className="code-actions">
          {open && isLarge({ code, language }) && (
            <IconButton
              icon="beside"
              size={16}
              label={t.code.open}
              onClick={() => open({ code, language })}
            />
          )}
          {!isGrowing && SHOWN.test(language) && (
            <IconButton
              icon={isPreview ? "terminal" : "eye"}
              size={16}
              label={isPreview ? t.code.source : t.code.preview}
              onClick={() => setPreview(!isPreview)}
            />
          )}
          {!isPreview && (
            <IconButton
              icon="wrap"
              size={16}
              label={isWrapped ? t.code.noWrap : t.code.wrap}
              aria-pressed={isWrapped}
              onClick={() => setWrapped(!isWrapped)}
            />
          )}
          <IconButton
            icon="download"
            size={16}
            label={t.code.download}
            onClick={() => download(code, fileNameOf(language))}
          />
          <CopyButton text={() => code} label={t.code.copy} size={16} />
        </span>
      </figcaption>
      {isPreview ? (
        <Lazily fallback={<pre>{code}</pre>} without={<pre>{code}</pre>}>
          <Preview code={code} isDiagram={DIAGRAM.test(language)} />
        </Lazily>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled with the keyboard
        <pre className={isWrapped ? "wrapped" : undefined} tabIndex={0}>
          <code>{isGrowing ? code : <Coloured code={code} language={language} />}</code>
        </pre>
      )}
    </figure>
  )
})

/** Code with its colours, as soon as they are there. */
export function Coloured({
  code,
  language,
}: {
  readonly code: string
  readonly language: string
}): ReactElement {
  const [done, setDone] = useState<{ readonly code: string; readonly lines: readonly (readonly Piece[])[] }>()
  useEffect(() => {
    if (languageOf(language) === undefined) return
    let isCurrent = true
    // The colours come in a file of their own; code is readable without them.
    import("./highlight.ts")
      .then(({ highlight }) => highlight(code, language))
      .then((lines) => {
        if (isCurrent && lines) setDone({ code, lines })
      })
      .catch(() => undefined)
    return () => {
      isCurrent = false
    }
  }, [code, language])
  if (done?.code !== code) return <>{code}</>
  return (
    <>
      {done.lines.map((line, index) => (
        <span key={index}>
          {line.map(({ text, className }, at) =>
            className ? (
              <span key={at} className={className}>
                {text}
              </span>
            ) : (
              text
            ),
          )}
          {index < done.lines.length - 1 ? "\n" : ""}
        </span>
      ))}
    </>
  )
}
