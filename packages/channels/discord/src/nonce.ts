/** Source: Discord's API, Create Message: a nonce is at most 25 characters. */
const MAX_NONCE = 25

/** What Discord knows a message by that is sent again: of the same bot it takes one with each nonce, in all channels. */
export async function nonceOf(key: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)))
  return Array.from(bytes, (byte) => byte.toString(36).padStart(2, "0"))
    .join("")
    .slice(0, MAX_NONCE)
}
