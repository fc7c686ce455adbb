import { type KeyboardEvent, type ReactElement, useState } from "react"
import { keysLabel, keysOf, refusalOf } from "../app/shortcut-keys.ts"
import {
  isChanged,
  isMac,
  resetShortcuts,
  SHORTCUT_NAMES,
  type ShortcutName,
  setShortcut,
  shortcutLabel,
  shortcutOf,
  standardKeys,
} from "../app/shortcuts.ts"
import { hasShortcuts } from "../app/storage.ts"
import { words } from "../i18n/en-shortcuts.ts"
import { t } from "../i18n/index.ts"
import { Button, IconButton } from "../ui/button.tsx"
import "../styles/shortcuts.css"

/** The keys of the page, each of which can be another. */
export function ShortcutsPart(): ReactElement {
  const [listening, setListening] = useState<ShortcutName>()
  const [problem, setProblem] = useState<string>()
  const [said, setSaid] = useState("")
  const stop = (): void => {
    setListening(undefined)
    setProblem(undefined)
  }
  const refuse = (name: ShortcutName, why: string): void => {
    setListening(name)
    setProblem(why)
  }
  const choose = (name: ShortcutName, keys: string): void => {
    const other = shortcutOf(keys)
    const label = keysLabel(keys, isMac)
    const refusal = refusalOf(keys)
    if (other !== undefined && other !== name) refuse(name, words.conflict(label, t.shortcuts[other]))
    else if (refusal) refuse(name, words.refused[refusal](label))
    else {
      setShortcut(name, keys)
      setSaid(words.changed(t.shortcuts[name], label))
      stop()
    }
  }
  const onKeyDown = (name: ShortcutName, event: KeyboardEvent<HTMLElement>): void => {
    if (listening !== name || event.key === "Tab") return
    // What is pressed here is not meant yet.
    event.preventDefault()
    event.stopPropagation()
    const keys = keysOf(event.nativeEvent, isMac)
    if (keys === "escape") stop()
    else if (keys !== undefined) choose(name, keys)
  }
  return (
    <div className="form">
      <p className="hint">{words.lead}</p>
      {!hasShortcuts() && <p className="note quiet-note">{words.off}</p>}
      <ul className="shortcuts">
        {SHORTCUT_NAMES.map((name) => {
          const isListening = listening === name
          const [label, keys] = [t.shortcuts[name], shortcutLabel(name)]
          return (
            <li key={name} className="shortcut">
              <span className="shortcut-name">{label}</span>
              {isChanged(name) && (
                <IconButton
                  icon="undo"
                  size={16}
                  label={words.reset(keysLabel(standardKeys(name), isMac))}
                  aria-label={words.resetWhole(label, keysLabel(standardKeys(name), isMac))}
                  onClick={() => choose(name, standardKeys(name))}
                />
              )}
              <button
                type="button"
                className={isListening ? "shortcut-keys listening" : "shortcut-keys"}
                aria-label={isListening ? words.listening(label) : words.change(label, keys)}
                aria-describedby={isListening ? "shortcut-problem" : undefined}
                onClick={() => (isListening ? stop() : setListening(name))}
                onKeyDown={(event) => onKeyDown(name, event)}
                onBlur={() => isListening && stop()}
              >
                {isListening ? words.press : <kbd>{keys}</kbd>}
              </button>
              {isListening && (
                <small id="shortcut-problem" className="shortcut-note" role="status">
                  {problem === undefined ? words.pressHint : <span className="form-error">{problem}</span>}
                </small>
              )}
            </li>
          )
        })}
      </ul>
      <p className="hint">
        {words.fixed} {words.thisDevice}
      </p>
      {SHORTCUT_NAMES.some(isChanged) && (
        <div className="form-foot">
          <Button
            onClick={() => {
              resetShortcuts()
              stop()
              setSaid(words.wasReset)
            }}
          >
            {words.resetAll}
          </Button>
        </div>
      )}
      <div className="off-screen" role="status">
        {said}
      </div>
    </div>
  )
}
