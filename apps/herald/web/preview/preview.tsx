import { useQuery, useQueryClient } from "@tanstack/react-query"
import mermaidUrl from "mermaid/dist/mermaid.min.js?url"
import { type ReactElement, useState, useSyncExternalStore } from "react"
import { words } from "../i18n/en-preview.ts"
import { diagramPage, drawnPage } from "./diagram-page.ts"
import { Frame } from "./frame.tsx"
import "../styles/preview.css"

/** Code as what it is: a page, or a diagram. It is in a frame of its own, which reaches nothing. */
export default function Preview({
  code,
  isDiagram,
}: {
  readonly code: string
  readonly isDiagram: boolean
}): ReactElement {
  const isDark = useIsDark()
  if (isDiagram) return <Diagram key={`${isDark} ${code}`} code={code} isDark={isDark} />
  return <Frame className="preview page" title={words.page} html={code} />
}

interface Drawn {
  readonly svg: string
  /** In px. */
  readonly height: number
}

const MAX_HEIGHT = 2_000

function Diagram({ code, isDark }: { readonly code: string; readonly isDark: boolean }): ReactElement {
  const client = useQueryClient()
  const key = ["diagram", isDark, code]
  // What was drawn before is not drawn again: messages come and go while one scrolls.
  const [before] = useState(() => client.getQueryData<Drawn>(key))
  const [height, setHeight] = useState(before?.height)
  const [problem, setProblem] = useState<string>()
  const { data: script, error } = useQuery({
    queryKey: ["mermaid"],
    queryFn: async () => await (await fetch(mermaidUrl)).text(),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: !before,
  })
  const why = problem ?? error?.message
  if (why !== undefined) {
    return (
      <>
        <p className="preview-note">{words.wrong(why)}</p>
        <pre>{code}</pre>
      </>
    )
  }
  if (!before && script === undefined) return <p className="preview-note">{words.drawing}</p>
  return (
    <>
      {height === undefined && <p className="preview-note">{words.drawing}</p>}
      <Frame
        className="preview"
        title={words.diagram}
        height={height ?? 0}
        html={before ? drawnPage(before.svg, isDark) : diagramPage(code, script ?? "", isDark)}
        onMessage={({ type, svg, height: drawn, message }) => {
          if (type === "failed") setProblem(String(message).slice(0, 400))
          if (type !== "drawn" || typeof svg !== "string" || typeof drawn !== "number") return
          const known = { svg, height: Math.min(Math.max(drawn, 40), MAX_HEIGHT) }
          client.setQueryData(key, known)
          setHeight(known.height)
        }}
      />
    </>
  )
}

const dark = matchMedia("(prefers-color-scheme: dark)")

function onTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener)
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] })
  dark.addEventListener("change", listener)
  return () => {
    observer.disconnect()
    dark.removeEventListener("change", listener)
  }
}

const useIsDark = (): boolean =>
  useSyncExternalStore(onTheme, () => {
    const theme = document.documentElement.dataset["theme"]
    return theme === undefined ? dark.matches : theme === "dark"
  })
