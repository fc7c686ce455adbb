import { lazy, type ReactElement, type ReactNode, useState } from "react"
import { words } from "../i18n/en-artifacts.ts"
import { t } from "../i18n/index.ts"
import { isFileName } from "../markdown/fence-info.ts"
import { fileNameOf } from "../markdown/languages.ts"
import { Markdown } from "../markdown/markdown.tsx"
import Preview from "../preview/preview.tsx"
import { Lazily } from "../ui/boundary.tsx"
import { Button, IconButton } from "../ui/button.tsx"
import { CopyButton } from "../ui/copy-button.tsx"
import { download, safeName } from "../ui/download.ts"
import type { Artifact } from "./artifacts.ts"
import { isShown, kindOf } from "./kind.ts"
import { Source } from "./source.tsx"
import { VersionSwitch } from "./version-switch.tsx"

const Changes = lazy(() => import("./changes.tsx"))

type Mode = "preview" | "source" | "changes"

/** One version of what was opened, and what one does with it. */
export function VersionView({
  artifact: { name, versions },
  index,
  onChoose,
  onOlder,
  heading,
  tools,
}: {
  readonly artifact: Artifact
  readonly index: number
  readonly onChoose: (index: number) => void
  /** There where messages before those that are loaded may have more versions. */
  readonly onOlder: (() => void) | undefined
  /** Puts the title where it belongs. */
  readonly heading: (title: string) => ReactNode
  readonly tools: ReactNode
}): ReactElement | null {
  const [wanted, setMode] = useState<Mode>("preview")
  const version = versions[index]
  const before = versions[index - 1]
  if (!version) return null
  const { code, language, isFile, isGrowing } = version
  const kind = kindOf(language)
  const modes: readonly Mode[] = [
    // A page or a diagram that is not whole yet is none.
    ...(isShown(kind) && (!isGrowing || kind === "markdown") ? (["preview"] as const) : []),
    "source",
    ...(before && !isGrowing ? (["changes"] as const) : []),
  ]
  const mode = modes.includes(wanted) ? wanted : (modes[0] ?? "source")
  const isPage = mode === "preview" && /^(?:html|svg)$/.test(kind)
  const file = downloadName(name, kind)
  const hasSwitch = name !== undefined && (versions.length > 1 || onOlder !== undefined)
  return (
    <>
      <header className="beside-head">
        {heading(name ?? words.untitled(language))}
        <CopyButton text={() => code} label={words.copy} />
        <IconButton
          icon="download"
          size={18}
          label={words.download(file)}
          onClick={() => download(code, file)}
        />
        {tools}
      </header>
      {(modes.length > 1 || hasSwitch) && (
        <div className="beside-bar">
          {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would be a form */}
          <div className="modes" role="group" aria-label={words.show}>
            {modes.map((each) => (
              <Button key={each} look="quiet" aria-pressed={each === mode} onClick={() => setMode(each)}>
                {words[each]}
              </Button>
            ))}
          </div>
          {hasSwitch && (
            <VersionSwitch index={index} count={versions.length} onChoose={onChoose} onOlder={onOlder} />
          )}
        </div>
      )}
      {isGrowing && <p className="beside-note">{words.writing}</p>}
      {isFile && <p className="beside-note">{words.file}</p>}
      <section
        className={isPage ? "beside-body page-body" : "beside-body"}
        aria-label={words[mode]}
        // What scrolls is scrolled with the keyboard; a source scrolls by itself, and so does a page in its frame.
        tabIndex={mode === "source" || isPage ? undefined : 0}
      >
        {mode === "source" && (
          <Source code={code} language={language} isProse={kind === "markdown"} isGrowing={isGrowing} />
        )}
        {mode === "preview" &&
          (kind === "markdown" ? (
            <Markdown text={code} isGrowing={isGrowing} />
          ) : (
            <Preview code={code} isDiagram={kind === "mermaid"} />
          ))}
        {mode === "changes" && before && (
          <Lazily fallback={<p className="beside-note">{t.loading}</p>}>
            <Changes before={before.code} after={code} />
          </Lazily>
        )}
      </section>
    </>
  )
}

/** A file keeps its name; what has a title is called so. */
function downloadName(name: string | undefined, kind: string): string {
  const base = safeName(name?.replace(/^.*[/\\](?=.)/, "") ?? "")
  if (base === "") return fileNameOf(kind)
  return name !== undefined && isFileName(name) ? base : fileNameOf(kind, base)
}
