import fc from "fast-check"
import { expect, test } from "vitest"
import { SearchIndex } from "./search-index.ts"

const found = (index: SearchIndex, query: string): readonly string[] =>
  index.search(query).map(({ id }) => id)

test("finds words whatever their case and accents, and in scripts without spaces", () => {
  const index = new SearchIndex()
  index.set("fr", "Crème BRÛLÉE à la carte")
  index.set("ja", "東京都の喫茶店で朝食を食べた。")
  index.set("zh", "中华人民共和国成立于1949年")
  index.set("ko", "한국은 아름답다")
  index.set("th", "ฉันรักภาษาไทย")
  index.set("de", "Die Straße nach Łódź")
  index.set("ru", "Ёлка стоит в лесу")
  expect(found(index, "creme brulee")).toEqual(["fr"])
  expect(found(index, "喫茶店")).toEqual(["ja"])
  expect(found(index, "共和国")).toEqual(["zh"])
  expect(found(index, "１９４９")).toEqual(["zh"])
  expect(found(index, "한국")).toEqual(["ko"])
  expect(found(index, "ภาษา")).toEqual(["th"])
  expect(found(index, "STRASSE lodz")).toEqual(["de"])
  expect(found(index, "елка")).toEqual(["ru"])
})

test("rare words count more, short texts more, and repetition only so much", () => {
  const index = new SearchIndex()
  for (let at = 0; at < 20; at++) index.set(`filler ${at}`, "common words about nothing")
  index.set("rare", "common zebra")
  index.set("long", `common zebra ${"and other animals ".repeat(50)}`)
  expect(found(index, "common zebra").slice(0, 2)).toEqual(["rare", "long"])
})

test("tf-idf: the share of the words times the logarithm of how rare a word is, each word of the question once", () => {
  const index = new SearchIndex({ ranking: "tf-idf" })
  index.set("a", "pass pass over")
  index.set("b", "compass")
  expect(index.search("pass PASS")).toEqual([{ id: "a", score: (2 / 3) * (Math.log(2 / 1) + 1) }])
})

test("a weight counts every occurrence several times", () => {
  const index = new SearchIndex()
  index.set("body", "apple pear plum")
  index.set("title", [
    { text: "apple", weight: 3 },
    { text: "kiwi", weight: 1 },
  ])
  expect(found(index, "apple")).toEqual(["title", "body"])
})

const word = fc.constantFrom("a", "b", "c", "dd", "é", "東", "京")
const text = fc.array(word, { maxLength: 6 }).map((words) => words.join(" "))
const id = fc.constantFrom("1", "2", "3", "4", "5")
const step = fc.oneof(
  fc.record({ type: fc.constant("set" as const), id, text }),
  fc.record({ type: fc.constant("delete" as const), id }),
)

test("however it came to its content, it answers as one that was made anew", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      text,
      fc.constantFrom("bm25", "tf-idf"),
      (steps, query, ranking) => {
        const index = new SearchIndex({ ranking })
        const content = new Map<string, string>()
        for (const change of steps) {
          if (change.type === "set") {
            index.set(change.id, change.text)
            content.set(change.id, change.text)
          } else expect(index.delete(change.id)).toBe(content.delete(change.id))
        }
        const fresh = new SearchIndex({ ranking })
        for (const [key, value] of content) fresh.set(key, value)
        expect(index.size).toBe(content.size)
        expect(index.search(query)).toEqual(fresh.search(query))
      },
    ),
  )
})

test("replacing for ever neither loses anything nor grows", () => {
  const index = new SearchIndex()
  for (let round = 0; round < 200; round++)
    for (let at = 0; at < 10; at++) index.set(`${at}`, `text ${at} of round${round}`)
  expect(found(index, "round198")).toEqual([])
  expect(index.search("round199 text", { limit: 100 })).toHaveLength(10)
  expect(found(index, "7")).toEqual(["7"])
})

test("the filter decides before the limit does", () => {
  const index = new SearchIndex()
  for (let at = 0; at < 30; at++) index.set(`${at}`, "same")
  expect(index.search("same", { limit: 2, filter: (key) => Number(key) > 20 }).map((hit) => hit.id)).toEqual([
    "21",
    "22",
  ])
})

test("several indexes that are searched together score as one that has all their texts", () => {
  const text = fc.array(fc.constantFrom("cat", "mat", "dog", "京都", "tea"), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(
      fc.array(fc.tuple(text, fc.nat(2)), { maxLength: 20 }),
      fc.constantFrom("bm25" as const, "tf-idf" as const),
      (texts, ranking) => {
        const [whole, ...parts] = Array.from({ length: 4 }, () => new SearchIndex({ ranking }))
        for (const [at, [words, part]] of texts.entries()) {
          whole?.set(`${at}`, words.join(" "))
          parts[part]?.set(`${at}`, words.join(" "))
        }
        const hits = parts.flatMap((part) => part.search("cat 京都 tea", { limit: 100, among: parts }))
        const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
          Number(a.id) - Number(b.id)
        const expected = whole?.search("cat 京都 tea", { limit: 100 }).toSorted(byId) ?? []
        expect(hits.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort())
        for (const [at, hit] of hits.toSorted(byId).entries())
          expect(hit.score).toBeCloseTo(expected[at]?.score ?? 0, 9)
      },
    ),
  )
})
