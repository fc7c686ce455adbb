import { type ReactElement, useEffect, useState } from "react"
import { t } from "../i18n/index.ts"
import { IconButton } from "./button.tsx"
import { toast } from "./toast.tsx"

export function CopyButton({
  text,
  label,
  size = 18,
  className = "",
}: {
  readonly text: () => string
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
        copyText(text()).then(
          () => setCopied(true),
          () => toast(t.errors["other"] ?? ""),
        )
      }}
    />
  )
}

/** The clipboard needs a secure page; over plain HTTP in a home network the old way still works. */
export async function copyText(text: string): Promise<void> {
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
