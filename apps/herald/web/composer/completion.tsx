import { type KeyboardEvent, type ReactElement, type RefObject, useState } from "react"

/** Whoever looks for one of more types on, or goes down. */
const MAX_SHOWN = 6

/** What a list offers for what was typed. */
export interface Offer {
  readonly name: string
  readonly note: string
}

/** A list above the message field that completes what is being typed. The focus stays in the field. */
export interface Completion {
  readonly list: ReactElement | undefined
  /** For the field. */
  readonly props: Readonly<Record<string, unknown>>
  /** True when the key was for the list. */
  readonly onKeyDown: (event: KeyboardEvent) => boolean
  /** Takes the current one; false where none is offered. */
  readonly accept: () => boolean
}

export function useCompletion<O extends Offer>({
  id,
  label,
  text,
  field,
  found,
  onChoose,
}: {
  readonly id: string
  readonly label: string
  readonly text: string
  readonly field: RefObject<HTMLTextAreaElement | null>
  /** Undefined where nothing is asked for. */
  readonly found: readonly O[] | undefined
  readonly onChoose: (offer: O) => void
}): Completion {
  // Another text has another list, which begins at its top.
  const [moved, setMoved] = useState({ text, to: 0 })
  const [dismissed, setDismissed] = useState<string>()
  const offers = text === dismissed ? undefined : found
  const current = offers && moved.text === text ? Math.min(moved.to, offers.length - 1) : 0
  const option = (index: number): string => `${id}-${index}`
  const currentId = offers && option(current)
  // Of a long list a part is shown, and goes with the current one: it needs no scrolling, which the keyboard could not do.
  const from = Math.max(0, current - MAX_SHOWN + 1)
  if (!offers) return { list: undefined, props: {}, onKeyDown: () => false, accept: () => false }
  const choose = (offer: O | undefined): void => {
    if (!offer) return
    field.current?.focus()
    onChoose(offer)
  }
  const accept = (): boolean => {
    choose(offers[current])
    return true
  }
  const move = (to: number): void => setMoved({ text, to })
  const onKeyDown = (event: KeyboardEvent): boolean => {
    const { key, shiftKey } = event
    if (key === "ArrowDown") move((current + 1) % offers.length)
    else if (key === "ArrowUp") move((current || offers.length) - 1)
    else if ((key === "Enter" || key === "Tab") && !shiftKey) accept()
    else if (key === "Escape") setDismissed(text)
    else return false
    event.preventDefault()
    return true
  }
  return {
    list: (
      <div className="completion" id={id} role="listbox" aria-label={label}>
        {offers.slice(from, from + MAX_SHOWN).map((offer, place) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field, which names the current one
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
          <div
            key={from + place}
            id={option(from + place)}
            role="option"
            aria-selected={from + place === current}
            aria-setsize={offers.length}
            aria-posinset={from + place + 1}
            className="menu-item"
            // Before the field loses the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(offer)}
          >
            <span className="menu-label">{offer.name}</span>
            <small className="muted">{offer.note}</small>
          </div>
        ))}
      </div>
    ),
    props: { "aria-autocomplete": "list", "aria-controls": id, "aria-activedescendant": currentId },
    onKeyDown,
    accept,
  }
}
