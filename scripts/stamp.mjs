// Promises: says whether something already done is still good, by the size and time of every file it came
// from and the presence of every file it made. A stamp is written only after the work is done, in one rename.

import { createHash } from "node:crypto"
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { root } from "./bootstrap.mjs"

const ignored = /^(node_modules|dist|data|coverage|\..*)$|\.(test|bench)\.tsx?$/

/** Every file below the given files and folders (relative to the repository), tests and built files left out. */
export function files(starts) {
  const found = []
  for (const start of starts) {
    const stat = statSync(join(root, start), { throwIfNoEntry: false })
    if (stat?.isFile()) found.push(start)
    if (stat?.isDirectory()) {
      const names = readdirSync(join(root, start)).filter((name) => !ignored.test(name))
      found.push(...files(names.map((name) => join(start, name))))
    }
  }
  return found
}

/** Changes whenever one of the files is added, removed or written, or another Node takes over. */
function fingerprint(paths) {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`)
  for (const path of [...paths].sort()) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`\n${path} ${size} ${mtimeMs}`)
  }
  return hash.digest("hex")
}

const place = (name) => join(root, ".bootstrap", "stamps", `${name}.json`)

/** True when the last stamp has this fingerprint and everything it produced is still there. */
function isCurrent(name, print) {
  try {
    const stamp = JSON.parse(readFileSync(place(name), "utf8"))
    return stamp.print === print && stamp.made.every((path) => existsSync(join(root, path)))
  } catch {
    return false
  }
}

/** Remembers that `made` was produced from the files behind `print`. */
function stamp(name, print, made) {
  const file = place(name)
  const staging = `${file}.${process.pid}`
  mkdirSync(dirname(file), { recursive: true })
  try {
    writeFileSync(staging, JSON.stringify({ print, made }))
    renameSync(staging, file)
  } finally {
    rmSync(staging, { force: true })
  }
}

/** Does the work unless its stamp says that nothing changed since; the work returns what must exist after it. */
export async function once(name, inputs, work) {
  const print = fingerprint(inputs)
  if (isCurrent(name, print)) return
  stamp(name, print, await work())
}
