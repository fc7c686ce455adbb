import { createHash } from "node:crypto"
import { constants } from "node:fs"
import { lstat, open, readdir, realpath } from "node:fs/promises"
import { basename, join, relative, sep } from "node:path"
import { errorMessage, OrraError } from "@orra/core"
import { type Draft, prepared } from "./document.ts"
import { DocumentError } from "./errors.ts"
import { fileText } from "./file-text.ts"
import type { Known } from "./shelf.ts"
import type { Source } from "./stored.ts"

export interface IngestOptions {
  /** What the ids begin with, before the path within the folder. Default the folder's name and "/"; of a file nothing. */
  readonly prefix?: string
  /** Which files, by their path within the folder, with "/". Default Markdown, text, HTML and PDF. */
  readonly include?: (path: string) => boolean
  /** What text is encoded in that does not say so itself, such as "shift_jis". Default UTF-8, else windows-1252. */
  readonly encoding?: string
  /** Largest file. Default 20,000,000. */
  readonly maxBytes?: number
  /** Most files; with more nothing is read. Default 20,000. */
  readonly maxFiles?: number
  /** Keep documents of this folder whose file is no longer there, or no longer included. Default false. */
  readonly keepMissing?: boolean
  readonly signal?: AbortSignal
}

export interface IngestReport {
  /** Ids of what was not there before, of what has changed, and of those whose file has gone. */
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  /** How many files are as they were. */
  readonly unchanged: number
  readonly failed: readonly { readonly path: string; readonly error: OrraError }[]
  /** What was guessed and may be wrong. */
  readonly warnings: readonly string[]
  /** Why what is new can only be found by words for now: the embedder failed. */
  readonly failure?: OrraError
}

/** Where what was read goes. */
export interface Shelving {
  readonly known: ReadonlyMap<string, Known>
  /** By the clock of this machine, as the times of its files are. */
  now(): number
  put(drafts: readonly Draft[]): Promise<{ readonly failure?: OrraError }>
  remove(ids: readonly string[]): Promise<unknown>
}

const KINDS = /\.(?:md|mdx|markdown|txt|text|rst|adoc|org|html?|xhtml|pdf)$/i
/** Folders in which others keep what they have made. Those whose name begins with a dot are left out as well. */
const SKIPPED: ReadonlySet<string> = new Set(["node_modules", "target", "venv", "dist", "__pycache__"])
/** A file that was written so shortly before it was read, in ms, may have been written again with the same time. */
const RACY_MS = 2_000
/** So many files and characters are kept at once. */
const MAX_GROUP = 100
const MAX_GROUP_CHARACTERS = 2_000_000

interface Found {
  readonly id: string
  readonly path: string
}

export async function ingest(
  path: string,
  options: IngestOptions,
  shelving: Shelving,
): Promise<IngestReport> {
  const { signal = new AbortController().signal, keepMissing = false } = options
  const failed: { path: string; error: OrraError }[] = []
  const { root, files } = await filesAt(path, options, failed)
  // What is in a folder that cannot be read is not known to be gone.
  const isWhole = failed.length === 0
  const added: string[] = []
  const changed: string[] = []
  const warnings: string[] = []
  let unchanged = 0
  let failure: OrraError | undefined
  let drafts: Draft[] = []
  const flush = async (): Promise<void> => {
    const result = await shelving.put(drafts)
    failure ??= result.failure
    for (const { id } of drafts) (shelving.known.has(id) ? changed : added).push(id)
    drafts = []
  }
  for (const file of files) {
    signal.throwIfAborted()
    try {
      const read = await readIfChanged(root, file, { ...options, signal }, shelving)
      if (!read) unchanged++
      else {
        drafts.push(read.draft)
        if (read.warning !== undefined) warnings.push(read.warning)
      }
    } catch (error) {
      signal.throwIfAborted()
      failed.push({ path: file.path, error: asUnreadable(file.path, error) })
    }
    const characters = drafts.reduce((sum, draft) => sum + draft.characters, 0)
    if (drafts.length === MAX_GROUP || characters > MAX_GROUP_CHARACTERS) await flush()
  }
  if (drafts.length > 0) await flush()
  const ids = new Set(files.map(({ id }) => id))
  const isGone = ([id, { source }]: [string, Known]): boolean => source?.root === root && !ids.has(id)
  const removed = keepMissing || !isWhole ? [] : [...shelving.known].filter(isGone).map(([id]) => id)
  if (removed.length > 0) await shelving.remove(removed)
  return { added, changed, removed, unchanged, failed, warnings, ...(failure && { failure }) }
}

/** The files that are meant, by name. @throws DocumentError when there is nothing, or too much. */
async function filesAt(
  path: string,
  { prefix, include = (name) => KINDS.test(name), maxFiles = 20_000, signal }: IngestOptions,
  failed: { path: string; error: OrraError }[],
): Promise<{ readonly root: string; readonly files: readonly Found[] }> {
  let root: string
  let isFolder: boolean
  try {
    root = await realpath(path)
    isFolder = (await lstat(root)).isDirectory()
  } catch (error) {
    throw asUnreadable(path, error)
  }
  if (!isFolder) return { root, files: [{ id: `${prefix ?? ""}${basename(root)}`, path: root }] }
  const before = prefix ?? `${basename(root)}/`
  const files: Found[] = []
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted()
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      failed.push({ path: folder ?? root, error: asUnreadable(folder ?? root, error) })
      return []
    })
    for (const entry of entries) {
      const full = join(folder, entry.name)
      const name = relative(root, full).split(sep).join("/")
      if (entry.name.startsWith(".")) continue
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(full)
      else if (entry.isFile() && include(name)) files.push({ id: `${before}${name}`, path: full })
    }
    if (files.length > maxFiles) {
      throw new DocumentError(
        "document_too_large",
        `"${path}" has more than ${maxFiles} files: choose a folder in it, or fewer files with "include".`,
        { path, limit: maxFiles },
      )
    }
  }
  return { root, files: files.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

/** The document in a file; undefined when it is as it was. */
async function readIfChanged(
  root: string,
  { id, path }: Found,
  options: IngestOptions & { readonly signal: AbortSignal },
  { known, now }: Shelving,
): Promise<{ readonly draft: Draft; readonly warning: string | undefined } | undefined> {
  const before = known.get(id)
  if (before && before.source?.root !== root) {
    throw new DocumentError(
      "document_invalid",
      `There is a document "${id}" already that is not from here: ingest with another "prefix".`,
      { id },
    )
  }
  const { size, mtimeMs, isFile } = await factsOf(path)
  if (!isFile) throw new DocumentError("document_unsupported", `"${path}" is not a file.`, { path })
  const old = before?.source
  if (old?.size === size && old.mtimeMs === mtimeMs && mtimeMs < old.readAt - RACY_MS) return undefined
  const readAt = now()
  const bytes = await bytesOf(path, size, options.maxBytes ?? 20_000_000)
  const digest = createHash("sha256").update(bytes).digest("hex")
  if (before && old?.digest === digest) return undefined
  const { warning, pageStarts, ...text } = await fileText(path, bytes, options)
  const source: Source = { root, path, size: bytes.length, mtimeMs, digest, readAt }
  return { draft: prepared({ id, ...text }, { source, ...(pageStarts && { pageStarts }) }), warning }
}

async function factsOf(path: string): Promise<{ size: number; mtimeMs: number; isFile: boolean }> {
  const stats = await lstat(path)
  return { size: stats.size, mtimeMs: stats.mtimeMs, isFile: stats.isFile() }
}

/** All bytes of a file that may grow meanwhile. @throws DocumentError when there are more than `maxBytes`. */
async function bytesOf(path: string, size: number, maxBytes: number): Promise<Uint8Array> {
  if (size <= maxBytes) {
    // Not a link that has been put in the place of the file, and not a pipe that never answers.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const bytes = Buffer.alloc(Math.min(size, maxBytes) + 1)
      let length = 0
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = (await file.read(bytes, length, bytes.length - length)).bytesRead
      if (length <= size) return bytes.subarray(0, length)
    } finally {
      await file.close()
    }
  }
  throw new DocumentError(
    "document_too_large",
    `"${basename(path)}" has ${size} bytes, more than the ${maxBytes} that are read, or is being written to: split it, or allow more with "maxBytes".`,
    { path, limit: maxBytes },
  )
}

function asUnreadable(path: string, error: unknown): OrraError {
  if (error instanceof OrraError) return error
  const reason = error instanceof Error && "code" in error ? String(error.code) : errorMessage(error)
  return new DocumentError(
    "document_unreadable",
    `"${path}" cannot be read (${reason}).`,
    { path, reason },
    error,
  )
}
