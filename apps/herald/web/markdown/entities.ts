const known = new Map<string, string>()

/** Text with its character references resolved, as a browser reads them. Nothing in it becomes an element. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text
  return text.replace(/&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z][a-zA-Z\d]{1,31});/g, (reference) => {
    const found = known.get(reference)
    if (found !== undefined) return found
    // The parser is given nothing but the reference itself.
    const decoded = new DOMParser().parseFromString(reference, "text/html").body.textContent ?? reference
    if (known.size < 1_000) known.set(reference, decoded)
    return decoded
  })
}
