/** Random numbers of ids to come: asked for by the hundred an id costs a third. */
let pool = new BigUint64Array(0)
let next = 0

/** A random id of 128 bits, URL-safe, unguessable. */
export const randomId = (): string => half() + half()

function half(): string {
  if (next === pool.length) {
    pool = crypto.getRandomValues(new BigUint64Array(512))
    next = 0
  }
  return String(pool[next++]?.toString(16)).padStart(16, "0")
}
