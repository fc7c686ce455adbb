import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { ndcgAt10, readCollection } from "./test-collection.ts"

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "orra-collection-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

test.each([
  [
    "BEIR",
    {
      "corpus.jsonl":
        '{"_id":"1","title":"Cats","text":"They purr.\\nOften."}\n{"_id":"2","title":"","text":"Dogs bark."}\n',
      "queries.jsonl": '{"_id":"q","text":"who purrs"}\n',
      "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq\t1\t2\nq\t2\t0\n",
    },
  ],
  [
    "SMART",
    {
      "X.ALL": ".I 1\n.T\nCats\n.A\nAnn\n.W\nThey purr.\nOften.\n.I 2\n.W\nDogs bark.\n",
      "X.QRY": ".I q\n.W\nwho purrs\n",
      "X.REL": "q 1 2\nq 2 0\n",
    },
  ],
])("a collection in the form of %s", (form, files) => {
  const { documents, queries, judgements } = readCollection(folderWith(files))
  expect(documents).toEqual([
    { id: "1", title: "Cats", text: "They purr.\nOften." },
    { id: "2", title: "", text: "Dogs bark." },
  ])
  expect(queries).toEqual([{ id: "q", text: "who purrs" }])
  // SMART knows no grades: what is named is an answer.
  const grades = form === "BEIR" ? { 1: 2, 2: 0 } : { 1: 1, 2: 1 }
  expect(Object.fromEntries(judgements.get("q") ?? [])).toEqual(grades)
})

test("a collection in the form of TREC", () => {
  const folder = folderWith({
    "documents/1.txt": "They purr.",
    "documents/b 2.md": "Dogs bark.",
    "queries.tsv": "q\twho purrs\n",
    "qrels.txt": "q 0 1 2\nq 0 2 0\n",
  })
  const { documents, queries, judgements } = readCollection(folder)
  expect(documents.map(({ id, text }) => [id, text])).toEqual([
    ["1", "They purr."],
    ["b 2", "Dogs bark."],
  ])
  expect(queries).toEqual([{ id: "q", text: "who purrs" }])
  expect(judgements.get("q")?.get("1")).toBe(2)
})

test("nDCG@10: 1 for the best order, less the further down an answer stands, 0 behind the tenth place", () => {
  const judged = new Map([
    ["a", 2],
    ["b", 1],
    ["c", 0],
  ])
  expect(ndcgAt10(["a", "b", "c"], judged)).toBe(1)
  expect(ndcgAt10(["b", "a"], judged)).toBeCloseTo((1 + 2 / Math.log2(3)) / (2 + 1 / Math.log2(3)), 12)
  expect(ndcgAt10(["x", "y", "a"], judged)).toBeCloseTo(2 / Math.log2(4) / (2 + 1 / Math.log2(3)), 12)
  expect(ndcgAt10([..."0123456789", "a"], judged)).toBe(0)
  expect(ndcgAt10(["a"], new Map())).toBe(0)
})

test("a folder without a collection is said", () => {
  expect(() => readCollection(folderWith({ "notes.txt": "x" }))).toThrow("no test collection")
})
