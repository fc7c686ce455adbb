import { firstCodePoints } from "@orra/core"
import { readable } from "./output.ts"

/** At most this often, so that a program that writes letter by letter is no flood. */
const EVERY_MS = 100

/** At most so much at once, and so much in all: after that only how much there was. */
const MAX_AT_ONCE = 4_000
const MAX_IN_ALL = 64_000

/** Passes on what a program writes to whoever watches, in pieces and within bounds. */
export function progressWriter({ progress }: { progress(text: string): void }): {
  add(text: string): void
  end(): void
} {
  let waiting = ""
  let skipped = 0
  let told = 0
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    timer = undefined
    const text = firstCodePoints(readable(waiting), MAX_AT_ONCE)
    waiting = ""
    if (text !== "") progress(skipped > 0 ? `${text}\n[… ${skipped} characters not shown …]\n` : text)
    told += text.length
    skipped = 0
    if (told >= MAX_IN_ALL) progress("\n[… there is more, not shown while it runs …]\n")
  }
  return {
    add(text) {
      if (told >= MAX_IN_ALL) return
      const room = MAX_AT_ONCE - waiting.length
      waiting += text.slice(0, Math.max(0, room))
      skipped += Math.max(0, text.length - Math.max(0, room))
      timer ??= setTimeout(flush, EVERY_MS)
    },
    end() {
      clearTimeout(timer)
      if (waiting !== "") flush()
    },
  }
}
