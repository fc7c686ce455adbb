import { useQueryClient } from "@tanstack/react-query"
import { type ReactElement, useMemo, useState } from "react"
import { PlaceLink } from "../app/place-link.tsx"
import type { AnswerItem } from "../chat/items.ts"
import { words } from "../i18n/en-traces.ts"
import { formatNumber, t } from "../i18n/index.ts"
import { memoryApi } from "../memory/memory-api.ts"
import { Icon } from "../ui/icons.tsx"
import { toast } from "../ui/toast.tsx"
import { DocumentLink } from "./document-link.tsx"
import { type MemoryChange, type Source, tracesOf } from "./sources.ts"
import "../styles/traces.css"

/** So many sources are shown at once; more on request. */
const SHOWN = 6

/** Below an answer: where it is from, and what of it is remembered, to be taken back. */
export default function Traces({ answer }: { readonly answer: AnswerItem }): ReactElement | null {
  const { sources, changes, recalled } = useMemo(() => tracesOf(answer), [answer])
  const [isWhole, setWhole] = useState(false)
  if (sources.length + changes.length + recalled === 0) return null
  const shown = isWhole ? sources : sources.slice(0, SHOWN)
  return (
    <aside className="traces" aria-label={words.label}>
      {sources.length > 0 && (
        <>
          <h3>{words.sources}</h3>
          <ol className="sources">
            {shown.map((source) => (
              <li key={source.type === "page" ? source.url : source.id}>
                <SourceLink source={source} />
              </li>
            ))}
          </ol>
          {shown.length < sources.length && (
            <button type="button" className="button quiet" onClick={() => setWhole(true)}>
              {words.all(formatNumber(sources.length))}
            </button>
          )}
        </>
      )}
      {recalled + changes.length > 0 && (
        <ul className="memory-chips" aria-label={words.memory}>
          {recalled > 0 && (
            <li>
              <PlaceLink className="memory-chip" to={{ type: "screen", screen: "memory", part: undefined }}>
                <Icon name="thought" size={14} />
                {words.recalled(recalled, formatNumber(recalled))}
              </PlaceLink>
            </li>
          )}
          {changes.map((change) => (
            <ChangeChip key={change.change} change={change} />
          ))}
        </ul>
      )}
    </aside>
  )
}

function SourceLink({ source }: { readonly source: Source }): ReactElement {
  if (source.type === "page") {
    return (
      <a href={source.url} target="_blank" rel="noopener noreferrer">
        <Icon name="globe" size={14} /> {source.host}
      </a>
    )
  }
  const { title, places } = source
  return (
    <>
      <Icon name="file" size={14} /> {title}
      {places.map((place) => (
        <span key={place.from} className="source-place">
          <DocumentLink cited={place}>{words.place(place)}</DocumentLink>
        </span>
      ))}
    </>
  )
}

function ChangeChip({ change: { type, change, content } }: { readonly change: MemoryChange }): ReactElement {
  const client = useQueryClient()
  const [isBack, setBack] = useState(false)
  const undo = (): void => {
    memoryApi.undo(change).then(
      () => {
        setBack(true)
        return client.invalidateQueries({ queryKey: ["memory"] })
      },
      (error: Error) => toast(error.message),
    )
  }
  return (
    <li className="memory-chip">
      <Icon name="thought" size={14} />
      <span className="memory-chip-text">{isBack ? words.takenBack : words[type](content)}</span>
      {!isBack && (
        <button type="button" className="chip-button" onClick={undo}>
          {t.undo}
        </button>
      )}
    </li>
  )
}
