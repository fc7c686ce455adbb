import {
  cloneElement,
  createContext,
  type KeyboardEvent,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  useContext,
  useRef,
  useState,
} from "react"
import { Icon, type IconName } from "./icons.tsx"
import { type Align, Layer, type Side } from "./layer.tsx"

const CloseContext = createContext<() => void>(() => {})

/** A button's menu, with the keys that menus have: arrows, Home, End, letters, Escape. */
export function Menu({
  trigger,
  children,
  align = "end",
  side = "bottom",
}: {
  readonly trigger: ReactElement<Record<string, unknown>>
  readonly children: ReactNode
  readonly align?: Align
  readonly side?: Side
}): ReactElement {
  const [opened, setOpened] = useState<{ readonly anchor: HTMLElement; readonly isByKey: boolean }>()
  const close = (): void => {
    // Focus goes back first: what was chosen may want it for itself.
    opened?.anchor.focus()
    setOpened(undefined)
  }
  return (
    <>
      {cloneElement(trigger, {
        "aria-haspopup": "menu",
        "aria-expanded": opened !== undefined,
        onClick: ({ currentTarget, detail }: MouseEvent<HTMLElement>) =>
          opened ? close() : setOpened({ anchor: currentTarget, isByKey: detail === 0 }),
        onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
          event.preventDefault()
          setOpened({ anchor: event.currentTarget, isByKey: true })
        },
      })}
      {opened && (
        <CloseContext value={close}>
          <MenuLayer {...opened} align={align} side={side} onDismiss={() => setOpened(undefined)}>
            {children}
          </MenuLayer>
        </CloseContext>
      )}
    </>
  )
}

function MenuLayer({
  anchor,
  isByKey,
  align,
  side,
  onDismiss,
  children,
}: {
  readonly anchor: HTMLElement
  readonly isByKey: boolean
  readonly align: Align
  readonly side: Side
  readonly onDismiss: () => void
  readonly children: ReactNode
}): ReactElement {
  const typed = useRef({ text: "", at: 0 })
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.key === "Tab") {
      anchor.focus()
      onDismiss()
      return
    }
    const items = itemsOf(event.currentTarget)
    const now = items.findIndex((item) => item.matches(":focus"))
    const next = nextIndex(event, items, now, typed.current)
    if (next === undefined) return
    event.preventDefault()
    items[next]?.focus()
  }
  return (
    <Layer
      role="menu"
      className="menu"
      aria-label={anchor.getAttribute("aria-label") ?? anchor.textContent}
      anchor={anchor}
      side={side}
      align={align}
      firstFocus={(layer) => (isByKey ? (itemsOf(layer)[0] ?? layer) : layer)}
      onDismiss={onDismiss}
      onKeyDown={onKeyDown}
    >
      {children}
    </Layer>
  )
}

const itemsOf = (layer: HTMLElement): readonly HTMLElement[] => [
  ...layer.querySelectorAll<HTMLElement>("[role^=menuitem]:not([disabled])"),
]

/** Letters typed one after the other belong together, in ms. */
const TYPING_MS = 600

/** Where a key leads in a menu; undefined for a key that menus have no use for. */
function nextIndex(
  { key, timeStamp, ctrlKey, metaKey, altKey }: KeyboardEvent,
  items: readonly HTMLElement[],
  now: number,
  typed: { text: string; at: number },
): number | undefined {
  const count = items.length
  if (key === "ArrowDown") return (now + 1) % count
  if (key === "ArrowUp") return (now <= 0 ? count : now) - 1
  if (key === "Home") return 0
  if (key === "End") return count - 1
  if (key.length !== 1 || key === " " || ctrlKey || metaKey || altKey) return undefined
  typed.text = timeStamp - typed.at > TYPING_MS ? key.toLowerCase() : typed.text + key.toLowerCase()
  typed.at = timeStamp
  // One letter goes on to the next item that begins with it; more stay while they fit.
  const from = typed.text.length === 1 ? now + 1 : Math.max(0, now)
  const order = items.map((_, index) => (from + index) % count)
  return order.find((index) => items[index]?.textContent.trim().toLowerCase().startsWith(typed.text))
}

export function MenuItem({
  icon,
  label,
  hint,
  isDanger = false,
  onSelect,
}: {
  readonly icon?: IconName
  readonly label: string
  readonly hint?: string
  readonly isDanger?: boolean
  readonly onSelect: () => void
}): ReactElement {
  const close = useContext(CloseContext)
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      className={isDanger ? "menu-item danger" : "menu-item"}
      onClick={() => {
        close()
        onSelect()
      }}
    >
      {icon && <Icon name={icon} size={18} />}
      <span className="menu-label">{label}</span>
      {hint && <kbd>{hint}</kbd>}
    </button>
  )
}

export const MenuChoice = ({
  value,
  onChange,
  label,
  options,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly label: string
  readonly options: readonly { readonly value: string; readonly label: string; readonly icon?: IconName }[]
}): ReactElement => (
  // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a menu
  <div role="group" aria-label={label}>
    <div className="menu-group" aria-hidden="true">
      {label}
    </div>
    {options.map((option) => (
      <button
        key={option.value}
        type="button"
        role="menuitemradio"
        aria-checked={option.value === value}
        tabIndex={-1}
        className="menu-item"
        onClick={() => onChange(option.value)}
      >
        {option.icon && <Icon name={option.icon} size={18} />}
        <span className="menu-label">{option.label}</span>
        {option.value === value && (
          <span className="menu-check">
            <Icon name="check" size={16} />
          </span>
        )}
      </button>
    ))}
  </div>
)

export const MenuLine = (): ReactElement => <hr className="menu-line" />
