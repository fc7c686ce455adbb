/** Hands a text to the browser as a file. */
export function download(text: string, name: string, type = "text/plain"): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 1_000)
}

/** A text as a name that every file system takes, and that reads as it is; it may be empty. */
export const safeName = (text: string): string =>
  text
    .replace(/[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]+/gu, " ")
    .trim()
    .slice(0, 80)

export const fileName = (title: string, extension: string): string =>
  `${safeName(title) || "chat"}.${extension}`
