import type { Refusal } from "../app/shortcut-keys.ts"

/** What the settings of keys say. */
export const words = {
  title: "Shortcuts",
  lead: "Choose the keys of a shortcut, then press those that you want instead.",
  press: "Press the new keys…",
  pressHint: "Esc leaves it as it is.",
  change: (name: string, keys: string) => `${name}: ${keys}. Change`,
  listening: (name: string) => `Press the new keys for “${name}”`,
  reset: (keys: string) => `Back to ${keys}`,
  resetWhole: (name: string, keys: string) => `${name}: back to ${keys}`,
  resetAll: "All as at first",
  changed: (name: string, keys: string) => `${name} is ${keys} now.`,
  wasReset: "All shortcuts are as at first.",
  conflict: (keys: string, other: string) =>
    `${keys} is “${other}” already. Press others, or change that one first.`,
  refused: {
    bare: (keys: string) => `${keys} is pressed while one types. Hold Ctrl or ⌘ with it.`,
    taken: (keys: string) => `${keys} is what your browser or your system needs. Press others.`,
  } satisfies Readonly<Record<Refusal, (keys: string) => string>>,
  off: "Shortcuts are switched off in Appearance.",
  fixed: "Enter, Esc, ↑ and the keys of menus stay as they are.",
  thisDevice: "These are the keys in this browser.",
}
