import { memo, type ReactElement, useMemo, useState } from "react"
import { type Block, blocksOf, growingBlocks } from "./blocks.ts"
import { renderBlock } from "./render.tsx"

/** Markdown, also while it is being written: finished blocks keep their elements, only the last one changes. */
export const Markdown = memo(function Markdown({
  text,
  isGrowing = false,
}: {
  readonly text: string
  readonly isGrowing?: boolean
}): ReactElement {
  const [grow] = useState(growingBlocks)
  const blocks = useMemo(() => (isGrowing ? grow(text) : blocksOf(text)), [text, isGrowing, grow])
  return (
    <div className="markdown" dir="auto">
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} isGrowing={isGrowing && index === blocks.length - 1} />
      ))}
    </div>
  )
})

const BlockView = memo(
  ({ block, isGrowing }: { readonly block: Block; readonly isGrowing: boolean }): ReactElement => (
    <>{renderBlock(block.token, { isGrowing })}</>
  ),
  (before, after) => before.block.raw === after.block.raw && before.isGrowing === after.isGrowing,
)
