/** What a browser keeps for this page. Without storage (private windows, a full disk) it lasts as long as the page. */
const memory = new Map<string, string>()

export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(`herald.${key}`) ?? memory.get(key)
  } catch {
    return memory.get(key)
  }
}

/** Keeps a text; undefined forgets it. */
export function keep(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(`herald.${key}`)
    else localStorage.setItem(`herald.${key}`, value)
    memory.delete(key)
  } catch {
    if (value === undefined) memory.delete(key)
    else memory.set(key, value)
  }
}

/** Whether Enter sends a message: read when it is pressed, so that it holds in every open chat. */
export const enterSends = (): boolean => recall("enter") !== "newline"

/** Whether the page has keys of its own: read when one is pressed. */
export const hasShortcuts = (): boolean => recall("shortcuts") !== "off"

/** Whether a key sends what is being written. */
export const isSendKey = (
  event: Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">,
): boolean =>
  event.key === "Enter" && !event.altKey && (enterSends() ? !event.shiftKey : event.ctrlKey || event.metaKey)

/** How the page looks and is typed into. */
const OF_DEVICE: readonly string[] = [
  "herald.theme",
  "herald.text",
  "herald.enter",
  "herald.shortcuts",
  "herald.beside-width",
  "herald.keys",
  "herald.first-steps",
]

/** Where files wait that are attached to unsent messages. */
export const ATTACHMENTS_DATABASE = "herald"

/** Forgets all that is about chats: whoever uses this browser next is to find nothing. Their looks may stay. */
export function forgetChats(): void {
  memory.clear()
  try {
    indexedDB.deleteDatabase(ATTACHMENTS_DATABASE)
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith("herald.") && !OF_DEVICE.includes(key)) localStorage.removeItem(key)
    }
  } catch {
    // Nothing was kept where nothing can be.
  }
}
