import { type ReactElement, useId, useState } from "react"
import { PlaceLink } from "../app/place-link.tsx"
import { words } from "../i18n/en-activity.ts"
import { formatDuration, formatFullTime, formatTime } from "../i18n/index.ts"
import { Button } from "../ui/button.tsx"
import { Icon } from "../ui/icons.tsx"
import type { Happened } from "./activity-api.ts"
import { Facts } from "./facts.tsx"
import { factsOf, isBad, phraseOf, statusWords } from "./phrases.ts"
import { traceAt } from "./place.ts"

/** Shows one chat alone. */
export type OnChat = (chat: string, title: string | undefined) => void

/** Something that happened, in a line that opens to all that is known of it. */
export function ActivityRow({
  item,
  isOwner,
  onChat,
}: {
  readonly item: Happened
  /** Others' is shown as well, so what is not of one's own chats says whose it is. */
  readonly isOwner: boolean
  readonly onChat: OnChat
}): ReactElement {
  const id = useId()
  const [isOpen, setOpen] = useState(false)
  const { icon, title } = phraseOf(item)
  const status = statusWords(item)
  const about = [item.title, isOwner && !item.chat ? item.person : undefined].filter(
    (text) => text !== undefined,
  )
  return (
    <li className="activity-row">
      <button
        type="button"
        className="activity-head"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name={icon} size={18} />
        <span className="activity-words">
          <span className="activity-title" dir="auto">
            {title}
          </span>
          {about.length > 0 && (
            <span className="activity-about" dir="auto">
              {about.join(" · ")}
            </span>
          )}
        </span>
        <span className="activity-end">
          {status !== "" && (
            <span className={isBad(item) ? "activity-status bad" : "activity-status"}>
              {isBad(item) && <Icon name="warning" size={14} />}
              {status}
              {item.duration_ms !== undefined && ` · ${formatDuration(item.duration_ms)}`}
            </span>
          )}
          <time dateTime={new Date(item.at).toISOString()} title={formatFullTime(item.at)}>
            {formatTime(item.at)}
          </time>
        </span>
        <Icon name="down" size={14} />
      </button>
      <div id={id} className="activity-details" hidden={!isOpen}>
        {isOpen && <Details item={item} onChat={onChat} />}
      </div>
    </li>
  )
}

function Details({ item, onChat }: { readonly item: Happened; readonly onChat: OnChat }): ReactElement {
  const { namespace, chat, seq, run } = item
  return (
    <>
      <Facts rows={factsOf(item)} />
      {item.tainted && (
        <p className="record-warning">
          <Icon name="warning" size={16} />
          {words.tainted}
        </p>
      )}
      <p className="activity-links">
        {run !== undefined && <PlaceLink to={traceAt({ namespace, run })}>{words.trace}</PlaceLink>}
        {chat !== undefined && chat === namespace && (
          <PlaceLink to={{ type: "chat", namespace: chat, seq }}>{words.openMessage}</PlaceLink>
        )}
        {chat !== undefined && chat !== namespace && (
          <PlaceLink to={{ type: "chat", namespace: chat }}>{words.openChat}</PlaceLink>
        )}
        {chat !== undefined && <Button onClick={() => onChat(chat, item.title)}>{words.thisChat}</Button>}
      </p>
    </>
  )
}
