// An index of 10,000 pages, and questions to it, beside minisearch with its defaults:
// `node --conditions=@orra/source --expose-gc benchmarks/document-search.ts`. Writes its table into benchmarks/README.md.

import { execFileSync } from "node:child_process"
import { loadavg } from "node:os"
import { SearchIndex } from "@orra/search"
import MiniSearch from "minisearch"
import { replaceIn } from "./table.ts"

const PAGES = 10_000
const QUERIES = 200
const ROUNDS = Number(process.argv[2] ?? 7)
const VOCABULARY = 60_000

interface PageOfText {
  readonly id: string
  readonly title: string
  readonly text: string
}

/** What is compared: how it is filled, and how it is asked. */
interface Contender {
  readonly title: string
  build(pages: readonly PageOfText[]): (query: string) => number
}

const CONTENDERS: Readonly<Record<string, Contender>> = {
  orra: {
    title: "@orra/search",
    build(pages) {
      const index = new SearchIndex()
      for (const { id, title, text } of pages) {
        index.set(id, [
          { text: title, weight: 2 },
          { text, weight: 1 },
        ])
      }
      return (query) => index.search(query, { limit: 10 }).length
    },
  },
  minisearch: {
    title: "minisearch",
    build(pages) {
      const index = new MiniSearch<PageOfText>({ fields: ["title", "text"] })
      index.addAll(pages)
      return (query) => index.search(query).slice(0, 10).length
    },
  },
}

function measure(): void {
  const load = loadavg()[0] ?? 0
  const { pages, queries } = corpus()
  const times = Object.fromEntries(
    Object.keys(CONTENDERS).map((name) => [name, { build: [] as number[], query: [] as number[] }]),
  )
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { build }] of Object.entries(CONTENDERS)) {
      globalThis.gc?.()
      const built = cpuMs(() => build(pages))
      const ask = built.result
      const asked = cpuMs(() => {
        for (const query of queries) ask(query)
      })
      times[name]?.build.push(built.ms)
      times[name]?.query.push((asked.ms * 1_000) / queries.length)
    }
  }
  const memory = Object.fromEntries(Object.keys(CONTENDERS).map((name) => [name, memoryOf(name)]))
  const words = Math.round(pages.reduce((sum, { text }) => sum + text.split(" ").length, 0) / PAGES)
  const rows = Object.entries(CONTENDERS).map(
    ([name, { title }]) =>
      `| ${title} | ${Math.round(median(times[name]?.build))} | ${median(times[name]?.query).toFixed(0)} | ${memory[name]?.toFixed(1)} |`,
  )
  const text = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version.slice(1)}, load ${load.toFixed(1)} at the start, median of ${ROUNDS} rounds; ${PAGES.toLocaleString("en")} pages of ${words} words on average, questions of two to five words.`,
    "",
    "|  | build, ms of CPU | a question, µs of CPU | memory, MB |",
    "|---|---:|---:|---:|",
    ...rows,
  ].join("\n")
  console.log(text)
  replaceIn("document-search", text)
}

/** Memory is measured in a process of its own: what the other one has left behind does not count. */
const memoryOf = (name: string): number =>
  Number(
    execFileSync(
      process.execPath,
      ["--conditions=@orra/source", "--expose-gc", import.meta.filename, String(ROUNDS), name],
      { encoding: "utf8" },
    ),
  )

function measureMemory(name: string): void {
  const { pages, queries } = corpus()
  globalThis.gc?.()
  const before = bytesInUse()
  const ask = CONTENDERS[name]?.build(pages)
  globalThis.gc?.()
  console.log((bytesInUse() - before) / 1e6)
  // What is no longer needed would not be counted.
  if (ask?.(queries[0] ?? "") === undefined || pages.length < PAGES) throw new Error(`There is no ${name}.`)
}

function bytesInUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function cpuMs<T>(action: () => T): { readonly ms: number; readonly result: T } {
  const before = process.cpuUsage()
  const result = action()
  const { user, system } = process.cpuUsage(before)
  return { ms: (user + system) / 1_000, result }
}

const median = (numbers: readonly number[] = []): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** Pages whose words are as unevenly frequent as those of a language (Zipf), always the same. */
function corpus(): { readonly pages: readonly PageOfText[]; readonly queries: readonly string[] } {
  let seed = 1
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const syllables = "ka to mi ren sol va ti gur pen lo ex ra ban di mu fel os ne chi pra".split(" ")
  const made = new Set<string>()
  while (made.size < VOCABULARY) {
    const length = 1 + Math.floor(random() * 4)
    made.add(Array.from({ length }, () => syllables[Math.floor(random() * syllables.length)]).join(""))
  }
  const vocabulary = [...made].sort((a, b) => a.length - b.length)
  const word = (): string => vocabulary[Math.floor(VOCABULARY ** random()) - 1] ?? ""
  const words = (count: number): string[] => Array.from({ length: count }, word)
  const sentence = (): string => {
    const text = words(5 + Math.floor(random() * 20)).join(" ")
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
  }
  const pages = Array.from({ length: PAGES }, (_, number) => ({
    id: `page-${number}`,
    title: words(2 + Math.floor(random() * 6)).join(" "),
    text: Array.from({ length: 5 + Math.floor(random() * 40) }, sentence).join(" "),
  }))
  const queries = Array.from({ length: QUERIES }, () => words(2 + Math.floor(random() * 4)).join(" "))
  return { pages, queries }
}

const [, , , only] = process.argv
if (only === undefined) measure()
else measureMemory(only)
