import { spawn } from "node:child_process"
import type { Directory } from "./directory.ts"
import { MAX_DEPTH } from "./trail.ts"

/** Bytes of paths that are taken at most. */
const MOST_BYTES = 64 * 1_024 * 1_024

export interface RipgrepQuery {
  /** Where to look. */
  readonly directory: Directory
  /** The pattern in ripgrep's syntax; undefined to list the files. */
  readonly pattern: string | undefined
  /** A glob over names, to look at fewer files. */
  readonly glob: string | undefined
  readonly skip: Iterable<string>
  /** Larger files are passed by, in bytes. */
  readonly maxFileSize: number
  readonly signal: AbortSignal
}

/**
 * The files that ripgrep finds something in, as paths from `directory`. Only candidates: it looks at paths, which may
 * lead elsewhere by the time it opens them, so that nothing of what it read is used. Undefined when there is no
 * ripgrep, or it does not take the pattern.
 */
export function ripgrep(command: string, query: RipgrepQuery): Promise<readonly string[] | undefined> {
  const { promise, resolve } = Promise.withResolvers<readonly string[] | undefined>()
  const child = spawn(command, argumentsOf(query), {
    cwd: query.directory.self,
    // No setting of the host's or the user's changes what is found.
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
    signal: query.signal,
    killSignal: "SIGKILL",
    windowsHide: true,
  })
  const chunks: Buffer[] = []
  let [length, complaint] = [0, ""]
  child.stdout.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > MOST_BYTES) child.kill("SIGKILL")
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(0, 1_000)
  })
  child.on("error", () => resolve(undefined))
  child.on("close", (code) => {
    // 1 is "found nothing", 2 is "found something, and something failed" as well as "could not begin".
    const began = code === 0 || code === 1 || (code === 2 && (length > 0 || complaint === ""))
    resolve(began ? pathsOf(Buffer.concat(chunks, length)) : undefined)
  })
  return promise
}

function argumentsOf({ pattern, glob, skip, maxFileSize }: RipgrepQuery): readonly string[] {
  return [
    "--no-config",
    "--no-messages",
    "--null",
    "--color=never",
    "--no-follow",
    "--hidden",
    "--no-require-git",
    "--no-ignore-global",
    "--no-ignore-exclude",
    "--no-ignore-dot",
    "--no-ignore-parent",
    `--max-depth=${MAX_DEPTH + 1}`,
    `--max-filesize=${maxFileSize}`,
    ...[".git", ...skip].filter((name) => /^[\w.-]+$/.test(name)).map((name) => `--glob=!**/${name}/`),
    // A type and no glob: globs would bring back what is ignored.
    ...(glob !== undefined && /^[\w.*{},-]+$/.test(glob) ? [`--type-add=orra:${glob}`, "--type=orra"] : []),
    ...(pattern === undefined ? ["--files"] : ["--files-with-matches", "--crlf", `--regexp=${pattern}`]),
    "./",
  ]
}

const pathsOf = (output: Buffer): readonly string[] =>
  output
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => path.replaceAll("\\", "/").replace(/^\.\//, ""))
