import { expect, test } from "vitest"
import { keysLabel, keysOf, refusalOf } from "./shortcut-keys.ts"

const NONE = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false }
const ctrl = (key: string, more = {}) => ({ ...NONE, key, ctrlKey: true, ...more })

test("keys are the same wherever a keyboard has a sign, and the other modifier is none of theirs", () => {
  expect(keysOf(ctrl("O", { shiftKey: true }), false)).toBe("mod+shift+o")
  expect(keysOf(ctrl("/"), false)).toBe("mod+/")
  expect(keysOf(ctrl("/", { shiftKey: true }), false)).toBe("mod+/")
  expect(keysOf(ctrl(":", { shiftKey: true }), false)).toBe("mod+:")
  expect(keysOf({ ...NONE, key: "k", metaKey: true }, true)).toBe("mod+k")
  expect(keysOf({ ...NONE, key: "k", metaKey: true }, false)).toBeUndefined()
  expect(keysOf(ctrl("k"), true)).toBeUndefined()
  expect(keysOf(ctrl("k", { altKey: true }), false)).toBe("mod+alt+k")
  expect(keysOf({ ...NONE, key: "Escape", shiftKey: true }, false)).toBe("shift+escape")
  expect(keysOf(ctrl("+", { shiftKey: true }), false)).toBe("mod++")
  for (const key of ["Control", "Shift", "Dead", ""]) expect(keysOf(ctrl(key), false)).toBeUndefined()
  // A euro sign, and not a command.
  expect(keysOf({ ...ctrl("€", { altKey: true }), getModifierState: () => true }, false)).toBeUndefined()
})

test("keys are written as each system writes them", () => {
  const labels = (keys: string) => [keysLabel(keys, false), keysLabel(keys, true)]
  expect(labels("mod+shift+o")).toEqual(["Ctrl+Shift+O", "⌘⇧O"])
  expect(labels("mod+:")).toEqual(["Ctrl+Shift+;", "⌘⇧;"])
  expect(labels("shift+escape")).toEqual(["Shift+Esc", "⇧Esc"])
  expect(labels("mod+alt+space")).toEqual(["Ctrl+Alt+Space", "⌘⌥Space"])
  expect(labels("mod++")).toEqual(["Ctrl++", "⌘+"])
  expect(labels("f9")).toEqual(["F9", "F9"])
})

test("what browsers need and what typing would press is refused, what the page begins with is not", () => {
  for (const keys of ["mod+t", "mod+w", "mod+shift+n", "mod+c", "mod+0", "f5", "mod+f4", "mod++"])
    expect(refusalOf(keys), keys).toBe("taken")
  for (const keys of ["k", "shift+k", "/", "alt+k", "escape", "enter"])
    expect(refusalOf(keys), keys).toBe("bare")
  for (const keys of ["mod+k", "mod+f", "mod+:", "mod+alt+n", "f9", "shift+escape", "mod+shift+s"])
    expect(refusalOf(keys), keys).toBeUndefined()
})
