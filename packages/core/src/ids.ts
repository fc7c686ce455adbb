/** A random UUID without its dashes: 32 hex digits, URL-safe, unguessable. */
export const randomId = (): string => crypto.randomUUID().replaceAll("-", "")
