/** A random id of 128 bits, URL-safe, unguessable. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll("-", "")
}
