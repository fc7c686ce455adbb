/** Kinds of numbers that grow in number. */
type Numbers =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>

/** The numbers, with room for `length` of them and some more; those that are new are 0. */
export function withRoom<T extends Numbers>(numbers: T, length: number): T {
  if (numbers.length >= length) return numbers
  const size = Math.max(length, Math.ceil(numbers.length * 1.5), 64)
  const larger = new (numbers.constructor as new (length: number) => T)(size)
  larger.set(numbers)
  return larger
}
