/**
 * Keys pressed together, as they are kept: `mod+shift+o`. `mod` is ⌘ on a Mac and Ctrl elsewhere. The last is what the
 * keyboard says that it is, in lower case; Shift is left out where that is a sign, which no two keyboards have in the same
 * place.
 */
export type Keys = string

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey"> & {
  readonly getModifierState?: (key: "AltGraph") => boolean
}

const MODIFIERS = new Set([
  "control",
  "meta",
  "alt",
  "altgraph",
  "shift",
  "os",
  "capslock",
  "dead",
  "process",
])
const isSign = (key: string): boolean => key.length === 1 && !/[\p{L}\d]/u.test(key)

/** Undefined while nothing but modifiers is pressed, and for what a keyboard types with AltGr. */
export function keysOf(event: Pressed, isMac: boolean): Keys | undefined {
  const { ctrlKey, metaKey, altKey, shiftKey } = event
  const key = event.key.toLowerCase()
  const [isMod, isOther] = isMac ? [metaKey, ctrlKey] : [ctrlKey, metaKey]
  if (isOther || key === "" || MODIFIERS.has(key) || event.getModifierState?.("AltGraph")) return undefined
  const names = [isMod && "mod", altKey && "alt", shiftKey && !isSign(key) && "shift"]
  return [...names.filter((name) => name !== false), key === " " ? "space" : key].join("+")
}

/** The parts of keys: `mod++` ends in a plus. */
function partsOf(keys: Keys): { readonly modifiers: ReadonlySet<string>; readonly key: string } {
  const [, modifiers = "", key = keys] = /^((?:(?:mod|alt|shift)\+)*)(.+)$/.exec(keys) ?? []
  return { modifiers: new Set(modifiers.split("+")), key }
}

const NAMES: Readonly<Record<string, string>> = {
  escape: "Esc",
  space: "Space",
  arrowup: "↑",
  arrowdown: "↓",
  arrowleft: "←",
  arrowright: "→",
  // Where most keyboards have it.
  ":": "⇧;",
}

/** How keys are written for people: `⌘⇧O` on a Mac, `Ctrl+Shift+O` elsewhere. */
export function keysLabel(keys: Keys, isMac: boolean): string {
  const { modifiers, key } = partsOf(keys)
  const name = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key[0]?.toUpperCase() + key.slice(1))
  const signs = [
    modifiers.has("mod") && (isMac ? "⌘" : "Ctrl+"),
    modifiers.has("alt") && (isMac ? "⌥" : "Alt+"),
    modifiers.has("shift") && (isMac ? "⇧" : "Shift+"),
  ]
  const label = [...signs.filter((sign) => sign !== false), name].join("")
  return isMac ? label : label.replace("⇧", "Shift+")
}

/** Why keys cannot be used. `bare`: typing would press them. `taken`: the browser or the system needs them. */
export type Refusal = "bare" | "taken"

/** What browsers and systems do with keys that pages can get as well, and what is done with text. */
const TAKEN = new Set(
  [
    "n t w q r l d p s h j u m o g e b i",
    "a c v x y z enter backspace delete home end arrowup arrowdown arrowleft arrowright",
    "tab space pageup pagedown + - = 0 1 2 3 4 5 6 7 8 9 ` ,",
    "shift+n shift+t shift+w shift+q shift+r shift+p shift+i shift+j shift+z shift+v shift+b shift+delete shift+tab shift+enter",
    "alt+escape alt+tab alt+space alt+delete alt+i alt+j alt+u alt+arrowleft alt+arrowright alt+arrowup alt+arrowdown",
  ]
    .join(" ")
    .split(" ")
    .map((keys) => `mod+${keys}`),
)

/** F1 is the browser's help, F5 loads anew, F6 goes to the address, F11 fills the screen, F12 opens the tools. */
const FREE_FUNCTION_KEYS = /^(?:alt\+|shift\+)*f(?:2|8|9)$/

/** Undefined for keys that can be used. */
export function refusalOf(keys: Keys): Refusal | undefined {
  const { modifiers, key } = partsOf(keys)
  if (FREE_FUNCTION_KEYS.test(keys)) return undefined
  if (/^f\d+$/.test(key) || TAKEN.has(keys)) return "taken"
  if (keys === "shift+escape" || modifiers.has("mod")) return undefined
  return "bare"
}
