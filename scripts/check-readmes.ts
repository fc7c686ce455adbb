// Promises: every ts block in the README of every package, and in ours, compiles by itself, under our own strict settings,
// against the declarations an application would get. A package without such a block is only named.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { entries, root, workspaces } from "./workspace.ts"

interface Example {
  /** Where the example would be if it were a file: beside the README, to find what the package depends on. */
  readonly file: string
  readonly readme: string
  /** Padded with empty lines, so that an error names the line in the README. */
  readonly code: string
}

const packages = workspaces().filter(({ folder }) => folder.startsWith("packages/"))
const examples = [".", ...packages.map(({ folder }) => folder)].flatMap(examplesIn)
const problems = compile(examples)
for (const problem of problems) console.error(problem)
console.log(`${examples.length} README examples compiled`)
const without = packages.filter(
  ({ folder }) => !examples.some(({ readme }) => readme === join(folder, "README.md")),
)
if (without.length > 0) console.log(`no example in ${without.map(({ folder }) => folder).join(", ")}`)
if (problems.length > 0) process.exitCode = 1

function examplesIn(folder: string): readonly Example[] {
  const readme = join(folder, "README.md")
  if (!existsSync(join(root, readme))) return []
  const text = readFileSync(join(root, readme), "utf8")
  return [...text.matchAll(/^```ts\b.*\n([\s\S]*?)^```/gm)].map(({ 1: code = "", index }, number) => {
    const linesBefore = text.slice(0, index).split("\n").length
    const file = join(root, folder, `README.example-${number}.ts`)
    return { file, readme, code: `${"\n".repeat(linesBefore)}${code}\nexport {}\n` }
  })
}

function compile(list: readonly Example[]): readonly string[] {
  const byFile = new Map(list.map((example) => [example.file, example]))
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (name) => byFile.has(name) || fileExists.call(host, name)
  host.readFile = (name) => byFile.get(name)?.code ?? readFile.call(host, name)
  host.getSourceFile = (name, languageVersion, ...rest) => {
    const example = byFile.get(name)
    if (example === undefined) return getSourceFile.call(host, name, languageVersion, ...rest)
    return ts.createSourceFile(name, example.code, languageVersion, true)
  }
  const program = ts.createProgram([...byFile.keys()], options, host)
  return [...byFile.values()].flatMap((example) => {
    const source = program.getSourceFile(example.file)
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map((diagnostic) => describe(diagnostic, example))
  })
}

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.base.json"), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  return {
    ...options,
    lib: [...(options.lib ?? []), "lib.dom.d.ts", "lib.dom.asynciterable.d.ts"],
    typeRoots: [join(root, "node_modules/@types")],
    customConditions: [],
    paths: builtDeclarations(),
    noEmit: true,
    composite: false,
    declaration: false,
    emitDeclarationOnly: false,
    rewriteRelativeImportExtensions: false,
    // An example shows a value without using it.
    noUnusedLocals: false,
  }
}

/** Every package under its name, so that a README may also show packages its own does not depend on. */
function builtDeclarations(): Record<string, string[]> {
  const paths: Record<string, string[]> = {}
  for (const workspace of packages) {
    for (const name of Object.keys(entries(workspace))) {
      const specifier = name === "index" ? workspace.manifest.name : `${workspace.manifest.name}/${name}`
      paths[specifier] = [join(root, workspace.folder, "dist", `${name}.d.ts`)]
    }
  }
  return paths
}

function describe({ file, start = 0, messageText, code }: ts.Diagnostic, { readme }: Example): string {
  const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line
  return `${readme}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")} (TS${code})`
}
