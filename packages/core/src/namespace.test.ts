import fc from "fast-check"
import { expect, test } from "vitest"
import { NamespaceError } from "./errors.ts"
import { Namespace } from "./namespace.ts"

/** Any text that a segment may be, with what keys are made of more often than chance would have it. */
const segment = fc
  .array(
    fc.oneof(fc.constantFrom(":", "%", "%3A", "%25", "a", "\0", "\x7f", ";"), fc.string({ unit: "binary" })),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((pieces) => pieces.join(""))
  .filter((text) => text !== "")
const segments = fc.array(segment, { minLength: 1, maxLength: 5 })

test("property: two namespaces have the same key exactly when they have the same segments", () => {
  fc.assert(
    fc.property(segments, segments, (a, b) => {
      const same = a.length === b.length && a.every((text, index) => text === b[index])
      expect(Namespace.of(...a).key === Namespace.of(...b).key).toBe(same)
    }),
  )
})

test("property: moving a boundary between segments changes the key", () => {
  fc.assert(
    fc.property(segment, segment, (a, b) => {
      const split = Namespace.of(a, b).key
      expect(Namespace.of(`${a}:${b}`).key).not.toBe(split)
      expect(Namespace.of(`${a}${b}`).key).not.toBe(split)
    }),
  )
})

test("property: parse gives back the segments, and only keys parse", () => {
  fc.assert(
    fc.property(segments, (made) => {
      const ns = Namespace.of(...made)
      expect(Namespace.parse(ns.key).segments).toEqual(made)
    }),
  )
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom("a", ":", "%", "3", "A") })),
      (text) => {
        try {
          expect(Namespace.parse(text).key).toBe(text)
        } catch (error) {
          expect(error).toBeInstanceOf(NamespaceError)
        }
      },
    ),
  )
})

test("property: contains is true of what is below, by segments and not by letters", () => {
  fc.assert(
    fc.property(segments, segments, (a, b) => {
      const [above, other] = [Namespace.of(...a), Namespace.of(...b)]
      expect(above.contains(above.child(...b))).toBe(true)
      expect(above.contains(other)).toBe(a.length <= b.length && a.every((text, index) => text === b[index]))
    }),
  )
})

test("knows what is above it", () => {
  const ns = Namespace.of("tenant", "acme", "user")
  expect(ns.lineage.map(String)).toEqual(["tenant", "tenant:acme", "tenant:acme:user"])
  expect(ns.parent?.key).toBe("tenant:acme")
  expect(Namespace.of("tenant").parent).toBeUndefined()
  expect(ns.depth).toBe(3)
  expect(ns.equals(Namespace.parse("tenant:acme:user"))).toBe(true)
  expect(JSON.stringify({ ns })).toBe('{"ns":"tenant:acme:user"}')
})

test("a name that only begins alike is not below", () => {
  expect(Namespace.of("acme").contains(Namespace.of("acmeother"))).toBe(false)
  expect(Namespace.of("acme").contains(Namespace.of("acme:bob"))).toBe(false)
})

test("its segments cannot be changed", () => {
  expect(Object.isFrozen(Namespace.of("a", "b").segments)).toBe(true)
})

test.each([
  ["no segment", []],
  ["an empty segment", ["a", ""]],
  ["a lone surrogate", ["a\ud800"]],
  ["too many segments", Array.from({ length: 33 }, () => "a")],
  ["a key that is too long", ["a".repeat(1_025)]],
  ["a key that is too long once escaped", [":".repeat(400)]],
])("%s makes no namespace", (_, parts) => {
  expect(() => Namespace.of(...parts)).toThrow(expect.objectContaining({ code: "namespace_invalid" }))
})

test.each(["", ":", "a:", ":a", "a::b", "a%3a", "a%41", "a%", "a%2", "a\nb", "%"])("%j is no key", (key) => {
  expect(() => Namespace.parse(key)).toThrow(NamespaceError)
})
