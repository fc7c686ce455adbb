import { structuredPatch } from "diff"
import { type ReactElement, useMemo } from "react"
import { words } from "../i18n/en-artifacts.ts"

/** Texts that have little in common take long to compare, and the comparison says little. */
const TIMEOUT_MS = 500
const LARGEST = 1_000_000

/** What is different between two versions, line by line. */
export default function Changes({
  before,
  after,
}: {
  readonly before: string
  readonly after: string
}): ReactElement {
  const patch = useMemo(() => {
    if (before.length + after.length > LARGEST) return undefined
    return structuredPatch("", "", `${before}\n`, `${after}\n`, undefined, undefined, {
      context: 3,
      timeout: TIMEOUT_MS,
    })
  }, [before, after])
  if (!patch) return <p className="beside-note">{words.tooDifferent}</p>
  if (patch.hunks.length === 0) return <p className="beside-note">{words.unchanged}</p>
  return (
    <>
      {patch.hunks.map(({ newStart, lines }, hunk) => (
        <div key={hunk} className="hunk">
          <h3 className="beside-note">{words.lines(newStart)}</h3>
          <pre className="difference" dir="ltr">
            {lines.map((line, index) => {
              const Tag = line.startsWith("+") ? "ins" : line.startsWith("-") ? "del" : "span"
              return <Tag key={index}>{`${line}\n`}</Tag>
            })}
          </pre>
        </div>
      ))}
    </>
  )
}
