// How well what answers a question is ranked (nDCG@10), on a test collection that you bring, beside minisearch:
// `node --conditions=@orra/source benchmarks/search-quality.ts FOLDER`. The forms it reads: test-collection.ts.

import { MemoryStore, Namespace } from "@orra/core"
import { Documents } from "@orra/documents"
import { SearchIndex } from "@orra/search"
import MiniSearch from "minisearch"
import { ndcgAt10, readCollection, type TestDocument } from "./test-collection.ts"

type Ask = (query: string) => Promise<readonly string[]>

const ENGINES: readonly (readonly [string, (documents: readonly TestDocument[]) => Promise<Ask>])[] = [
  [
    "minisearch, defaults",
    async (documents) => {
      const index = new MiniSearch<TestDocument>({ fields: ["title", "text"] })
      index.addAll(documents)
      return async (query) => index.search(query).map(({ id }) => String(id))
    },
  ],
  ["@orra/search, BM25", async (documents) => inIndex(new SearchIndex(), documents)],
  ["@orra/search, TF-IDF", async (documents) => inIndex(new SearchIndex({ ranking: "tf-idf" }), documents)],
  [
    "@orra/documents",
    async (documents) => {
      const store = new Documents({ store: new MemoryStore() })
      const namespace = Namespace.of("collection")
      await store.put(
        namespace,
        documents
          .filter(({ title, text }) => `${title}${text}`.trim() !== "")
          .map(({ id, title, text }) => ({ id, title, content: text.trim() === "" ? title : text })),
      )
      return async (query) =>
        (await store.search(namespace, query, { limit: 10 })).passages.map(({ id }) => id)
    },
  ],
]

function inIndex(index: SearchIndex, documents: readonly TestDocument[]): Ask {
  for (const { id, title, text } of documents) {
    index.set(id, [
      { text: title, weight: 2 },
      { text, weight: 1 },
    ])
  }
  return async (query) => index.search(query, { limit: 10 }).map(({ id }) => id)
}

const [, , folder] = process.argv
if (folder === undefined) throw new Error("Name the folder of a test collection: see test-collection.ts.")
const { documents, queries, judgements } = readCollection(folder)
const judged = queries.filter(({ id }) => judgements.has(id))
console.log(
  `${documents.length} documents, ${judged.length} questions with judgements\n\n|  | nDCG@10 |\n|---|---:|`,
)
for (const [name, fill] of ENGINES) {
  const ask = await fill(documents)
  let sum = 0
  for (const { id, text } of judged) sum += ndcgAt10(await ask(text), judgements.get(id) ?? new Map())
  console.log(`| ${name} | ${(sum / judged.length).toFixed(4)} |`)
}
