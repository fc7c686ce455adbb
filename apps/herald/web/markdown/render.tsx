import type { Token, Tokens } from "marked"
import { Fragment, type ReactElement, type ReactNode, useEffect, useState } from "react"
import { t } from "../i18n/index.ts"
import { CodeBlock } from "./code-block.tsx"
import { decodeEntities } from "./entities.ts"
import { fenceInfo } from "./fence-info.ts"
import { Formula } from "./formula.tsx"
import type { MathToken } from "./math-tokens.ts"
import { safeHref } from "./safe-link.ts"

interface Context {
  /** The block is still being written: work that only a finished one is worth waits. */
  readonly isGrowing: boolean
}

/** One block token as elements. Elements are made from tokens, never from a string of HTML, but for HTML itself. */
export function renderBlock(token: Token, context: Context): ReactNode {
  const known = token as Tokens.Generic & Token
  switch (known.type) {
    case "heading": {
      const { depth, tokens } = known as Tokens.Heading
      // The page has the first level and a message the second; most answers begin with the second themselves.
      const Tag = `h${Math.min(6, Math.max(3, depth + 1))}` as "h3"
      return <Tag className={`md-h${depth}`}>{renderInline(tokens, context)}</Tag>
    }
    case "paragraph":
      return <p>{renderInline((known as Tokens.Paragraph).tokens, context)}</p>
    case "text": {
      const { tokens, text } = known as Tokens.Text
      return tokens ? renderInline(tokens, context) : decodeEntities(text)
    }
    case "code": {
      const { text, lang } = known as Tokens.Code
      return <CodeBlock code={text} language={fenceInfo(lang).language} isGrowing={context.isGrowing} />
    }
    case "blockquote":
      return <blockquote>{renderBlocks((known as Tokens.Blockquote).tokens, context)}</blockquote>
    case "list":
      return renderList(known as Tokens.List, context)
    case "table":
      return renderTable(known as Tokens.Table, context)
    case "hr":
      return <hr />
    case "math":
      return <p>{renderInlineToken(known, context)}</p>
    case "html":
      return <HtmlBlock html={known.raw} />
    case "space":
    case "def":
      return null
    default:
      return renderInlineToken(token, context)
  }
}

const renderBlocks = (tokens: readonly Token[], context: Context): ReactNode =>
  // Blocks only ever grow at the end, so the position is the identity.
  tokens.map((token, index) => {
    const isLast = index === tokens.length - 1
    return <Fragment key={index}>{renderBlock(token, isLast ? context : { isGrowing: false })}</Fragment>
  })

function renderList({ ordered, start, items, loose }: Tokens.List, context: Context): ReactElement {
  const rows = items.map((item, index) => (
    <li key={index} className={item.task ? "task" : undefined}>
      {item.task && <input type="checkbox" checked={item.checked === true} disabled aria-label={item.text} />}
      {renderBlocks(
        item.tokens.filter((token) => token.type !== "checkbox"),
        context,
      )}
    </li>
  ))
  const className = loose ? "loose" : undefined
  if (!ordered) return <ul className={className}>{rows}</ul>
  return (
    <ol className={className} start={typeof start === "number" && start !== 1 ? start : undefined}>
      {rows}
    </ol>
  )
}

function renderTable({ header, rows, align }: Tokens.Table, context: Context): ReactElement {
  const side = (index: number): string | undefined => (align[index] ? `align-${align[index]}` : undefined)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled with the keyboard
    <section className="table-scroll" tabIndex={0} aria-label={t.code.table}>
      <table>
        <thead>
          <tr>
            {header.map((cell, index) => (
              <th key={index} scope="col" className={side(index)}>
                {renderInline(cell.tokens, context)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} className={side(column)}>
                  {renderInline(cell.tokens, context)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** Tags without attributes that may stand in a line; the rest is shown as it was written. */
const INLINE_TAGS = new Set([
  "b",
  "i",
  "em",
  "strong",
  "s",
  "u",
  "del",
  "ins",
  "sub",
  "sup",
  "kbd",
  "mark",
  "small",
])

function renderInline(tokens: readonly Token[], context: Context): ReactNode {
  const nodes: ReactNode[] = []
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]
    if (!token) continue
    const tag = token.type === "html" ? /^<([a-z]+)>$/i.exec(token.raw)?.[1]?.toLowerCase() : undefined
    if (tag && INLINE_TAGS.has(tag)) {
      const end = tokens.findIndex(
        (other, at) => at > index && other.type === "html" && other.raw.toLowerCase() === `</${tag}>`,
      )
      if (end > 0) {
        const Tag = tag as "b"
        nodes.push(<Tag key={index}>{renderInline(tokens.slice(index + 1, end), context)}</Tag>)
        index = end
        continue
      }
    }
    nodes.push(<Fragment key={index}>{renderInlineToken(token, context)}</Fragment>)
  }
  return nodes
}

function renderInlineToken(token: Token, context: Context): ReactNode {
  switch (token.type) {
    case "text": {
      const { tokens, text } = token as Tokens.Text
      return tokens ? renderInline(tokens, context) : decodeEntities(text)
    }
    case "escape":
      return (token as Tokens.Escape).text
    case "strong":
      return <strong>{renderInline((token as Tokens.Strong).tokens, context)}</strong>
    case "em":
      return <em>{renderInline((token as Tokens.Em).tokens, context)}</em>
    case "del":
      return <del>{renderInline((token as Tokens.Del).tokens, context)}</del>
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>
    case "br":
      return <br />
    case "link": {
      const { href, title, tokens } = token as Tokens.Link
      return (
        <Link href={href} title={title}>
          {renderInline(tokens, context)}
        </Link>
      )
    }
    case "image": {
      // Loading it would tell another server that this was read, and when.
      const { href, text } = token as Tokens.Image
      return (
        <Link href={href} title={t.code.imageHint}>
          {t.code.imageLink(decodeEntities(text))}
        </Link>
      )
    }
    case "math": {
      const { raw, tex, isDisplay } = token as MathToken
      return <Formula raw={raw} tex={tex} isDisplay={isDisplay} />
    }
    case "html":
      return /^<br\s*\/?>$/i.test(token.raw) ? <br /> : token.raw
    default:
      return token.raw
  }
}

const Link = ({
  href,
  title,
  children,
}: {
  readonly href: string
  readonly title?: string | null | undefined
  readonly children: ReactNode
}): ReactElement => {
  const safe = safeHref(decodeEntities(href))
  if (safe === undefined) return <span className="dead-link">{children}</span>
  return (
    <a href={safe} title={title ?? undefined} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  )
}

/**
 * The only place where a string becomes elements, after everything that is not plain structure was taken out. HTML
 * is rare, so what cleans it is loaded when there is some; until then it is shown as it was written.
 */
function HtmlBlock({ html }: { readonly html: string }): ReactElement {
  const [clean, setClean] = useState<{ readonly of: string; readonly html: string }>()
  useEffect(() => {
    let isCurrent = true
    import("./sanitize.ts").then(
      ({ sanitize }) => {
        if (isCurrent) setClean({ of: html, html: sanitize(html) })
      },
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [html])
  if (clean?.of !== html) return <p>{html}</p>
  return <div className="html-block" dangerouslySetInnerHTML={{ __html: clean.html }} />
}
