import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs"
import { dirname } from "node:path"

export interface RotatingFileOptions {
  readonly path: string
  /** A file that would grow past this becomes `<path>.1`. Default 10 MiB. */
  readonly maxBytes?: number
  /** Files kept beside the current one: `.1` is the newest. Default 3. */
  readonly keep?: number
}

export interface RotatingFile {
  write(line: string): void
  close(): void
}

/**
 * Appends lines to a file that never grows past a size. Written at once, so that the last line before a crash is
 * there. A disk that is full or gone loses lines and nothing else: a log may not stop the program it watches.
 *
 * @throws the file system's error when the file cannot be opened at first.
 */
export function rotatingFile(options: RotatingFileOptions): RotatingFile {
  const { path, maxBytes = 10 * 1024 * 1024, keep = 3 } = options
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const open = () => openSync(path, "a", 0o600)
  let file: number | undefined = open()
  let size = fstatSync(file).size

  const rotate = () => {
    if (file !== undefined) closeSync(file)
    file = undefined
    for (let number = keep; number > 0; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`
      try {
        renameSync(from, `${path}.${number}`)
      } catch {
        // There are not that many yet.
      }
    }
    file = open()
    size = fstatSync(file).size
  }

  return {
    write(line) {
      const bytes = Buffer.from(line, "utf8")
      try {
        if (size > 0 && size + bytes.length > maxBytes) rotate()
        file ??= open()
        size += writeSync(file, bytes)
      } catch {
        // See above: nothing to be done about a lost line.
      }
    },
    close() {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}
