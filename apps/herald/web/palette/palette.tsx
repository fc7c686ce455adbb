import { useQuery } from "@tanstack/react-query"
import {
  type KeyboardEvent,
  type ReactElement,
  type RefObject,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react"
import { api } from "../api/api.ts"
import type { SessionSummary } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { navigate } from "../app/router.ts"
import { words } from "../i18n/en-palette.ts"
import { formatDay, t } from "../i18n/index.ts"
import type { Folder } from "../sessions/folders-api.ts"
import { folderIdOf, useFolders } from "../sessions/use-folders.ts"
import { titleOf } from "../sessions/use-sessions.ts"
import { parts } from "../settings/parts.tsx"
import { useTheme } from "../theme/theme.ts"
import { Icon, type IconName } from "../ui/icons.tsx"
import { Modal } from "../ui/modal.tsx"
import { pageCommands } from "./commands.ts"
import "../styles/palette.css"

interface Choice {
  readonly key: string
  readonly group: string
  readonly icon: IconName
  readonly label: string
  readonly note?: ReactElement | string
  /** The keys that do the same. */
  readonly keys?: string
  readonly run: () => void
}

/** So many of each kind at most. */
const SHOWN = 8

/** Everything the page has, by name: chats, what was said in them, commands, screens and settings. */
export default function Palette({
  typed,
  onClose,
  onShortcuts,
}: {
  /** What was typed before it was there. */
  readonly typed: RefObject<string>
  readonly onClose: () => void
  readonly onShortcuts: () => void
}): ReactElement {
  const [text, setText] = useState("")
  // Only now: something may be typed while this is being drawn for the first time.
  useLayoutEffect(() => setText(typed.current), [typed])
  const [active, setActive] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const id = useId()
  const query = text.trim()
  const wanted = query.toLowerCase()
  const commands = useCommands(onShortcuts)
  const titles = useQuery({
    queryKey: ["palette", query],
    queryFn: ({ signal }) => api.sessions({ q: query }, signal),
    placeholderData: (before) => before,
  })
  const said = useQuery({
    queryKey: ["search", query],
    queryFn: ({ signal }) => api.search(query, signal),
    enabled: query.length > 1,
    staleTime: 5_000,
  })
  const now = Date.now()
  const { folders, chats: filed, find } = useFolders()
  const choices: readonly Choice[] = [
    ...(titles.data?.sessions ?? [])
      // Those of the question before, while this one is on its way: Enter must not open what nobody asked for.
      .filter((session) => !titles.isPlaceholderData || titleOf(session)?.toLowerCase().includes(wanted))
      .slice(0, SHOWN)
      .map((session): Choice => chatChoice(session, now, find(folderIdOf(session)))),
    ...(query === "" ? [] : folders.filter(({ name }) => name.toLowerCase().includes(wanted))).flatMap(
      (folder) => folderChoices(folder, filed, now),
    ),
    ...(query.length > 1 ? (said.data?.chats ?? []) : []).map(
      ({ namespace, title, count, hit }): Choice => ({
        key: `said:${namespace}`,
        group: words.texts,
        icon: "search",
        label: title || t.sessions.untitled,
        note: (
          <>
            {hit.snippet.before}
            <mark>{hit.snippet.match}</mark>
            {hit.snippet.after}
            {count > 1 && ` · ${words.more(count)}`}
          </>
        ),
        run: () => navigate({ type: "chat", namespace, seq: hit.seq }),
      }),
    ),
    ...commands.filter(({ label }) => label.toLowerCase().includes(wanted)),
  ]
  const at = Math.min(active, choices.length - 1)
  const move = (to: number): void => {
    setActive(to)
    list.current?.querySelector(`[data-at="${to}"]`)?.scrollIntoView({ block: "nearest" })
  }
  const choose = (choice: Choice | undefined): void => {
    if (!choice) return
    onClose()
    choice.run()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return
    const { length } = choices
    if (event.key === "Enter") choose(choices[at])
    else if (event.key === "ArrowDown" && length > 0) move((at + 1) % length)
    else if (event.key === "ArrowUp" && length > 0) move((at + length - 1) % length)
    else return
    event.preventDefault()
  }
  const groups = [...new Set(choices.map(({ group }) => group))]
  return (
    <Modal className="palette" aria-label={words.label} onDismiss={onClose}>
      <div className="palette-head">
        <Icon name="search" size={18} />
        <input
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={choices[at] ? `${id}-${at}` : undefined}
          aria-autocomplete="list"
          aria-label={words.label}
          placeholder={words.placeholder}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setActive(0)
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div
        ref={list}
        id={id}
        className="palette-list"
        role="listbox"
        aria-label={words.results}
        tabIndex={-1}
      >
        {groups.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a list of options
          <div key={group} role="group" aria-label={group}>
            <div className="group-label" aria-hidden="true">
              {group}
            </div>
            {choices.map(
              (choice, index) =>
                choice.group === group && (
                  // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the field has the focus and the keys
                  <div
                    key={choice.key}
                    id={`${id}-${index}`}
                    data-at={index}
                    role="option"
                    aria-selected={index === at}
                    className="palette-item"
                    onPointerMove={() => index !== at && setActive(index)}
                    onClick={() => choose(choice)}
                  >
                    <Icon name={choice.icon} size={18} />
                    <span className="palette-text">
                      <span className="palette-label" dir="auto">
                        {choice.label}
                      </span>
                      {choice.note && <small dir="auto">{choice.note}</small>}
                    </span>
                    {choice.keys && <kbd>{choice.keys}</kbd>}
                  </div>
                ),
            )}
          </div>
        ))}
      </div>
      <p className="palette-foot" role="status">
        {said.isError
          ? words.failed
          : choices.length === 0 && !said.isFetching
            ? words.none(query)
            : words.keys}
      </p>
    </Modal>
  )
}

/** What a folder has: its chats, the most recently used first, and a new one. */
const folderChoices = (folder: Folder, filed: readonly SessionSummary[], now: number): readonly Choice[] => [
  ...filed
    .filter((session) => folderIdOf(session) === folder.id)
    .sort((a, b) => b.updatedAt - a.updatedAt)
    .slice(0, SHOWN)
    .map((session) => ({
      ...chatChoice(session, now, undefined),
      key: `folder:${session.namespace}`,
      group: words.inFolder(folder.name),
    })),
  {
    key: `folder:${folder.id}`,
    group: words.inFolder(folder.name),
    icon: "folderPlus",
    label: words.newInFolder(folder.name),
    run: () => navigate({ type: "new", folder: folder.id }),
  },
]

const chatChoice = (session: SessionSummary, now: number, folder: Folder | undefined): Choice => ({
  key: `chat:${session.namespace}`,
  group: words.chats,
  icon: session.metadata["pinned"] === true ? "pin" : "chat",
  label: titleOf(session) ?? t.sessions.untitled,
  note: [folder?.name, formatDay(session.updatedAt, now)].filter((part) => part !== undefined).join(" · "),
  run: () => navigate({ type: "chat", namespace: session.namespace }),
})

function useCommands(onShortcuts: () => void): readonly Choice[] {
  const { me } = useShared()
  const [, setTheme] = useTheme()
  return [
    ...pageCommands({ me, setTheme, onShortcuts }).map(
      ({ name, label, isPlace, ...rest }): Choice => ({
        ...rest,
        key: `command:${name}`,
        group: isPlace ? words.screens : words.actions,
        label,
      }),
    ),
    ...parts
      .filter(({ permission }) => permission === undefined || me.permissions.includes(permission))
      .map(
        ({ name, label }): Choice => ({
          key: `part:${name}`,
          group: words.screens,
          icon: "settings",
          label: words.setting(label),
          run: () => navigate({ type: "screen", screen: "settings", part: name }),
        }),
      ),
  ]
}
