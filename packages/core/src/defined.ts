/** An object that is being made. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** The members that are not undefined: an absent one and an undefined one are different things in a type, and in JSON. */
export function defined<T extends object>(
  members: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const found: { [K in keyof T]?: Exclude<T[K], undefined> } = {}
  for (const key in members) {
    const member = members[key]
    if (member !== undefined) found[key] = member as Exclude<T[typeof key], undefined>
  }
  return found
}
