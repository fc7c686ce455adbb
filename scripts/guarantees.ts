// Promises: packages/core/GUARANTEES.md says what packages/core/guarantees says, and every test and every mutation
// named there exists. Run it to write the page.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import type { Guarantee, Proof } from "../packages/core/guarantees/guarantee.ts"
import { guarantees } from "../packages/core/guarantees/index.ts"
import { heldBy } from "../packages/core/guarantees/laws.ts"
import { root } from "./workspace.ts"

export const page = join(root, "packages/core/GUARANTEES.md")

/** The page for these promises. */
export function rendered(list: readonly Guarantee[]): string {
  const proofs = list.flatMap((guarantee) => guarantee.proofs)
  return `${[
    "# Guarantees",
    `What the runtime promises: ${list.length} promises, held by ${proofs.length} tests, each of which is seen to fail when the promise is broken. \`npm run test:full\` breaks each one, in a copy of the sources, and prints the table; \`node scripts/mutate.ts P1\` breaks those of one promise.`,
    "Written by `node scripts/guarantees.ts` from `guarantees/`. The numbers are stable.",
    lawList(),
    ...list.flatMap(section),
  ].join("\n\n")}\n`
}

/** The laws in their order, each with the promises that hold it. */
function lawList(): string {
  const laws = Object.entries(heldBy).map(([law, ids], index) => `${index + 1}. ${law}: ${ids.join(", ")}`)
  return `The laws of the house are held by\n\n${laws.join("\n")}`
}

function section({ id, title, promise, proofs }: Guarantee): readonly string[] {
  return [`## ${id}. ${title}`, promise, ...proofs.map(proofText)]
}

function proofText({ file, test, suite, mutation }: Proof): string {
  const where = suite === undefined ? `\`${file}\`` : `\`${file}\` (written in \`${suite}\`)`
  return [
    `"${test}" in ${where} fails with`,
    "",
    "```diff",
    `--- ${mutation.file}`,
    ...mutation.text.split("\n").map((line) => `-${line}`),
    ...(mutation.replacement === "" ? [] : mutation.replacement.split("\n").map((line) => `+${line}`)),
    "```",
  ].join("\n")
}

/** What is wrong with the list as it is: a test that is gone, a mutation whose text is not there exactly once. */
export function problems(list: readonly Guarantee[]): readonly string[] {
  const ids = list.map(({ id }) => id)
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`)
  return [
    ...twice,
    ...list.filter(({ proofs }) => proofs.length === 0).map(({ id }) => `${id} is held by no test`),
    ...list.flatMap(({ id, proofs }) =>
      proofs.flatMap((proof) => problemsOf(proof).map((what) => `${id}: ${what}`)),
    ),
  ]
}

function problemsOf({ file, test, suite, mutation }: Proof): readonly string[] {
  const found: string[] = []
  if (!existsSync(join(root, file))) found.push(`there is no ${file}`)
  const written = suite ?? file
  if (!contains(written, test)) found.push(`${written} has no test "${test}"`)
  const times = source(mutation.file)?.split(mutation.text).length ?? 0
  if (times !== 2) {
    const how = times < 2 ? "is not" : `is ${times - 1} times`
    found.push(`the text to change ${how} in ${mutation.file}: ${JSON.stringify(mutation.text)}`)
  }
  if (mutation.text === mutation.replacement) found.push(`nothing is changed in ${mutation.file}`)
  return found
}

function contains(file: string, test: string): boolean {
  return ['"', "'", "`"].some((quote) => source(file)?.includes(`${quote}${test}`))
}

function source(file: string): string | undefined {
  const path = join(root, file)
  return existsSync(path) ? readFileSync(path, "utf8") : undefined
}

if (import.meta.main) {
  for (const problem of problems(guarantees)) {
    console.error(problem)
    process.exitCode = 1
  }
  writeFileSync(page, rendered(guarantees))
  console.log(`${guarantees.length} promises written to packages/core/GUARANTEES.md`)
}
