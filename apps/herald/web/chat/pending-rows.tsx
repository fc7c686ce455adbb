import type { Entry } from "@orra/core"
import type { ReactElement } from "react"
import { t } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import type { ChatStore, Outbound } from "./chat-store.ts"
import { errorTitle } from "./error-note.tsx"
import { UserParts } from "./user-message.tsx"

/** A message that waits for its turn, and can still be taken back. */
export const QueuedRow = ({
  input,
  store,
}: {
  readonly input: Entry<"input">
  readonly store: ChatStore
}): ReactElement => (
  <article className="message user pending" aria-label={t.chat.you}>
    <UserParts parts={input.message.parts} />
    <footer className="message-foot always">
      <Icon name="queue" size={16} />
      <span>{input.mode === "steer" ? t.composer.steering : t.composer.queued}</span>
      <Button look="quiet" onClick={() => void store.cancelInput(input.inputId)}>
        {t.composer.cancelQueued}
      </Button>
    </footer>
  </article>
)

/** A message on its way, or one that did not get through and is kept. */
export const OutboundRow = ({
  message: { inputId, parts, error },
  progress,
  store,
}: {
  readonly message: Outbound
  /** Which share of it has gone, from 0 to 1, where that takes a while. */
  readonly progress: number | undefined
  readonly store: ChatStore
}): ReactElement => (
  <article className="message user pending" aria-label={t.chat.you}>
    <UserParts parts={parts} />
    <footer className="message-foot always">
      {error ? (
        <>
          <Icon name="warning" size={16} />
          <span className="bad">
            {t.chat.notSent}:{" "}
            {error.code === "offline" || !error.message ? errorTitle(error.code) : error.message}
          </span>
          <Button look="quiet" onClick={() => void store.resend(inputId)}>
            {t.retry}
          </Button>
          <Button look="quiet" onClick={() => store.discard(inputId)}>
            {t.remove}
          </Button>
        </>
      ) : (
        <>
          <span>{t.chat.sending}</span>
          {progress !== undefined && <progress value={progress} aria-label={t.chat.sending} />}
        </>
      )}
    </footer>
  </article>
)
