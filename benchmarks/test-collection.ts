// Reads a test collection of information retrieval: documents, questions, and which documents answer which question.

import { existsSync, readdirSync, readFileSync } from "node:fs"
import { basename, extname, join } from "node:path"

export interface TestDocument {
  readonly id: string
  readonly title: string
  readonly text: string
}

export interface TestCollection {
  readonly documents: readonly TestDocument[]
  readonly queries: readonly { readonly id: string; readonly text: string }[]
  /** By question, then by document: how much it answers it. */
  readonly judgements: ReadonlyMap<string, ReadonlyMap<string, number>>
}

/**
 * The collection in a folder, in one of three forms:
 *
 * - BEIR: `corpus.jsonl`, `queries.jsonl`, and `qrels/test.tsv` (or another one in `qrels`)
 * - TREC: a folder `documents` with a text file for each, `queries.tsv` (id, tab, text), and `qrels.txt` (question, 0,
 *   document, grade)
 * - SMART, as Cranfield, MED, CISI, ADI and NPL come: `NAME.ALL`, `NAME.QRY`, `NAME.REL` (question and document in
 *   the first two columns)
 */
export function readCollection(folder: string): TestCollection {
  if (existsSync(join(folder, "corpus.jsonl"))) return beir(folder)
  if (existsSync(join(folder, "qrels.txt"))) return trec(folder)
  return smart(folder)
}

function beir(folder: string): TestCollection {
  const parsed = (name: string) =>
    linesOf(join(folder, name)).map(
      (line) => JSON.parse(line) as { _id: string; title?: string; text: string },
    )
  const qrels = existsSync(join(folder, "qrels", "test.tsv"))
    ? "test.tsv"
    : (readdirSync(join(folder, "qrels"))[0] ?? "test.tsv")
  return {
    documents: parsed("corpus.jsonl").map(({ _id: id, title = "", text }) => ({ id, title, text })),
    queries: parsed("queries.jsonl").map(({ _id: id, text }) => ({ id, text })),
    judgements: judgementsOf(
      linesOf(join(folder, "qrels", qrels))
        .slice(1)
        .map((line) => line.split("\t")),
    ),
  }
}

function trec(folder: string): TestCollection {
  const documents = join(folder, "documents")
  return {
    documents: readdirSync(documents).map((name) => ({
      id: basename(name, extname(name)),
      title: "",
      text: readFileSync(join(documents, name), "utf8"),
    })),
    queries: linesOf(join(folder, "queries.tsv")).map((line) => {
      const [id = "", text = ""] = line.split("\t")
      return { id, text }
    }),
    judgements: judgementsOf(
      linesOf(join(folder, "qrels.txt")).map((line) => {
        const [query = "", , document = "", grade = ""] = line.trim().split(/\s+/)
        return [query, document, grade]
      }),
    ),
  }
}

function smart(folder: string): TestCollection {
  const file = (ending: string): string => {
    const name = readdirSync(folder).find((candidate) => candidate.toLowerCase().endsWith(ending))
    if (name === undefined) throw new Error(`${folder} has no test collection in a form that is known.`)
    return readFileSync(join(folder, name), "latin1")
  }
  const parts = (text: string) =>
    text
      .split(/^\.I\s+/m)
      .slice(1)
      .map((entry) => {
        const [id = ""] = entry.split(/\s/, 1)
        const field = (name: string): string =>
          new RegExp(`^\\.${name}\\s*\\n([\\s\\S]*?)(?=^\\.[A-Z]\\s*$|$(?![\\s\\S]))`, "m")
            .exec(entry)?.[1]
            ?.trim() ?? ""
        return { id, title: field("T"), text: field("W") }
      })
  return {
    documents: parts(file(".all")),
    queries: parts(file(".qry")).map(({ id, text }) => ({ id, text })),
    judgements: judgementsOf(
      file(".rel")
        .split("\n")
        .map((line) => line.trim().split(/\s+/).slice(0, 2)),
    ),
  }
}

function judgementsOf(rows: readonly (readonly string[])[]): Map<string, Map<string, number>> {
  const judgements = new Map<string, Map<string, number>>()
  for (const [query = "", document = "", grade = "1"] of rows) {
    if (query === "" || document === "") continue
    const graded = judgements.get(query) ?? new Map<string, number>()
    judgements.set(query, graded.set(document, Number(grade)))
  }
  return judgements
}

const linesOf = (path: string): readonly string[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")

/**
 * How good a ranking is, from 0 to 1: what its first ten answer, less the further down they stand, beside the best
 * there could be. Source: Järvelin and Kekäläinen, TOIS 2002, with the gain as it is judged, as trec_eval has it.
 */
export function ndcgAt10(ranking: readonly string[], judged: ReadonlyMap<string, number>): number {
  const gain = (grades: readonly number[]): number =>
    grades.slice(0, 10).reduce((sum, grade, rank) => sum + Math.max(0, grade) / Math.log2(rank + 2), 0)
  const best = gain([...judged.values()].sort((a, b) => b - a))
  return best === 0 ? 0 : gain(ranking.map((id) => judged.get(id) ?? 0)) / best
}
