/**
 * What `make` says of an object, made once for each: for what is asked again with every request. It must not change
 * afterwards; nothing is kept of an object that is gone.
 */
export function perObject<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, { readonly value: Value }>()
  return (key) => {
    const known = made.get(key)
    if (known) return known.value
    const value = make(key)
    made.set(key, { value })
    return value
  }
}
