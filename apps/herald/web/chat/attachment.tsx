import { type ReactElement, useState } from "react"
import { formatBytes, t } from "../i18n/index.ts"
import { Icon } from "../ui/icons.tsx"
import { Modal } from "../ui/modal.tsx"
import { type Attached, sizeOf } from "./parts.ts"

/** An attachment as it is shown in a message or waits in the composer. */
export const Attachment = ({ part }: { readonly part: Attached }): ReactElement => {
  if (part.type === "image") return <Picture src={`data:${part.mediaType};base64,${part.data}`} />
  return (
    <span className="attached-file">
      <Icon name="file" size={18} />
      <span className="attached-name">{part.name}</span>
      <span className="attached-size">{formatBytes(sizeOf(part))}</span>
    </span>
  )
}

/** A picture, which can be looked at as large as the window. */
function Picture({ src }: { readonly src: string }): ReactElement {
  const [isLarge, setLarge] = useState(false)
  return (
    <>
      <button type="button" className="picture" aria-label={t.chat.enlarge} onClick={() => setLarge(true)}>
        <img className="attached-image" alt={t.chat.image} src={src} />
      </button>
      {isLarge && (
        <Modal className="lightbox" aria-label={t.chat.image} onDismiss={() => setLarge(false)}>
          <img alt={t.chat.image} src={src} />
          <button type="button" className="icon-button" aria-label={t.close} onClick={() => setLarge(false)}>
            <Icon name="close" />
          </button>
        </Modal>
      )}
    </>
  )
}
