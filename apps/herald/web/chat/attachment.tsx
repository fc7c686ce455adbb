import type { ReactElement } from "react"
import { formatBytes, t } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { type Attached, sizeOf } from "./parts.ts"

/** An attachment as it is shown in a message or waits in the composer. */
export const Attachment = ({ part }: { readonly part: Attached }): ReactElement => {
  if (part.type === "image") {
    return (
      <img className="attached-image" alt={t.chat.image} src={`data:${part.mediaType};base64,${part.data}`} />
    )
  }
  return (
    <span className="attached-file">
      <Icon name="file" size={18} />
      <span className="attached-name">{part.name}</span>
      <span className="attached-size">{formatBytes(sizeOf(part))}</span>
    </span>
  )
}
