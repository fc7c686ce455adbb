import { mkdir, open, rename, rmdir, unlink } from "node:fs/promises"
import { dirname } from "node:path"
import { isMissing } from "./errors.ts"

/** Makes the folder and those above it, so that they are there after the machine stops. */
export async function makeFolder(path: string, sync: boolean): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined || !sync) return
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/** Replaces a file: whoever reads it, also after the machine stopped, finds the old one or the new one. */
export async function replaceFile(path: string, content: string, sync: boolean): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600)
  try {
    await file.writeFile(content)
    if (sync) await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
  if (sync) await syncFolder(dirname(path))
}

/** Makes durable which files a folder holds. Windows does that by itself and has no such call. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Removes the folders from `path` up to, but not with, `base` that hold nothing any more. */
export async function removeEmpty(path: string, base: string): Promise<void> {
  for (let folder = path; folder.length > base.length; folder = dirname(folder)) {
    try {
      await rmdir(folder)
    } catch {
      return
    }
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
