import { type ReactElement, useEffect, useState } from "react"
import { t } from "../i18n/index.ts"
import { IconButton } from "./button.tsx"
import { toast } from "./toast.tsx"

export function CopyButton({
  text,
  html,
  label,
  size = 18,
  className = "",
}: {
  readonly text: () => string
  /** The same for programs that take formatted text. */
  readonly html?: () => string
  readonly label: string
  readonly size?: number
  readonly className?: string
}): ReactElement {
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    if (!isCopied) return
    const timer = setTimeout(() => setCopied(false), 1_600)
    return () => clearTimeout(timer)
  }, [isCopied])
  return (
    <IconButton
      icon={isCopied ? "check" : "copy"}
      size={size}
      className={className}
      label={isCopied ? t.copied : label}
      onClick={() => {
        copyText(text(), html?.()).then(
          () => setCopied(true),
          () => toast(t.errors["other"] ?? ""),
        )
      }}
    />
  )
}

/** The clipboard needs a secure page; over plain HTTP in a home network the old way still works. */
export async function copyText(text: string, html?: string): Promise<void> {
  if (navigator.clipboard && html !== undefined && typeof ClipboardItem !== "undefined") {
    const blob = (type: string, content: string): Blob => new Blob([content], { type })
    const item = { "text/plain": blob("text/plain", text), "text/html": blob("text/html", html) }
    return await navigator.clipboard.write([new ClipboardItem(item)])
  }
  if (navigator.clipboard) return await navigator.clipboard.writeText(text)
  const field = document.createElement("textarea")
  field.value = text
  field.className = "off-screen"
  document.body.append(field)
  field.select()
  const isDone = document.execCommand("copy")
  field.remove()
  if (!isDone) throw new Error("The browser did not copy.")
}
