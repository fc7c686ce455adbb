const SAFE = new Set(["http:", "https:", "mailto:", "tel:"])

/**
 * The address of a link that may be followed, or undefined. Only addresses that say where they lead: relative ones
 * would lead into this page, and `javascript:` or `data:` would run here.
 */
export function safeHref(href: string): string | undefined {
  let url: URL
  try {
    url = new URL(href.trim())
  } catch {
    return undefined
  }
  return SAFE.has(url.protocol) ? url.href : undefined
}
