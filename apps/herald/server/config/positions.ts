import { parse } from "smol-toml"

/** Where a value is: keys, and numbers for the elements of lists. */
export type Path = readonly (string | number)[]

/**
 * The line (from 1) of each key of a TOML document that was parsed without an error. The parser gives values and
 * not where they stood, and a message without a line is half a message.
 *
 * @returns a function that takes a path and gives its line, or that of the nearest table around it.
 */
export function positions(toml: string): (path: Path) => number {
  const lines = new Map<string, number>()
  const tables = new Map<string, number>()
  let at = 0
  let line = 1
  let table: Path = []

  const mark = (path: Path) => {
    const key = JSON.stringify(path)
    if (!lines.has(key)) lines.set(key, line)
  }
  const step = (count = 1) => {
    for (let n = 0; n < count; n++) if (toml[at++] === "\n") line++
  }
  const isNext = (piece: string) => toml.startsWith(piece, at)

  /** Over white space, line ends and comments. */
  const skip = () => {
    while (at < toml.length) {
      if (isNext("#")) while (at < toml.length && !isNext("\n")) step()
      else if (/\s/.test(toml[at] ?? "")) step()
      else return
    }
  }

  const skipString = () => {
    const quote = toml[at] ?? ""
    const fence = isNext(quote.repeat(3)) ? quote.repeat(3) : quote
    step(fence.length)
    while (at < toml.length && !isNext(fence)) step(quote === '"' && isNext("\\") ? 2 : 1)
    step(fence.length)
    // A multi-line string may end in one or two quotes of its own before the closing three.
    while (fence.length === 3 && isNext(quote)) step()
  }

  const readKey = (): string[] => {
    const keys: string[] = []
    while (at < toml.length) {
      skip()
      const start = at
      if (isNext('"') || isNext("'")) {
        skipString()
        keys.push(String(parse(`key = ${toml.slice(start, at)}`)["key"]))
      } else {
        while (/[A-Za-z0-9_-]/.test(toml[at] ?? "")) step()
        keys.push(toml.slice(start, at))
      }
      skip()
      if (!isNext(".")) return keys
      step()
    }
    return keys
  }

  const readPair = (base: Path) => {
    const started = line
    const path = [...base, ...readKey()]
    for (let depth = base.length + 1; depth <= path.length; depth++) {
      const key = JSON.stringify(path.slice(0, depth))
      if (!lines.has(key)) lines.set(key, started)
    }
    skip()
    step()
    skip()
    readValue(path)
  }

  const readValue = (path: Path) => {
    if (isNext('"') || isNext("'")) skipString()
    else if (isNext("{")) readList("}", () => readPair(path))
    else if (isNext("[")) {
      let index = 0
      readList("]", () => {
        mark([...path, index])
        readValue([...path, index++])
      })
    } else while (at < toml.length && !/[\n,\]}#]/.test(toml[at] ?? "")) step()
  }

  const readList = (close: string, readElement: () => void) => {
    step()
    skip()
    while (at < toml.length && !isNext(close)) {
      readElement()
      skip()
      if (isNext(",")) step()
      skip()
    }
    step()
  }

  /** `[a.b]` means the last `a` when there are several. */
  const resolve = (keys: readonly string[]): Path => {
    const path: (string | number)[] = []
    for (const key of keys) {
      path.push(key)
      const count = tables.get(JSON.stringify(path))
      if (count !== undefined) path.push(count - 1)
    }
    return path
  }

  skip()
  while (at < toml.length) {
    if (isNext("[[")) {
      const started = line
      step(2)
      const keys = readKey()
      const list = [...resolve(keys.slice(0, -1)), keys.at(-1) ?? ""]
      const count = tables.get(JSON.stringify(list)) ?? 0
      tables.set(JSON.stringify(list), count + 1)
      table = [...list, count]
      for (const path of [list, table])
        if (!lines.has(JSON.stringify(path))) lines.set(JSON.stringify(path), started)
      step(2)
    } else if (isNext("[")) {
      const started = line
      step()
      const keys = readKey()
      table = resolve(keys)
      for (let depth = 1; depth <= table.length; depth++) {
        const key = JSON.stringify(table.slice(0, depth))
        if (!lines.has(key)) lines.set(key, started)
      }
      step()
    } else readPair(table)
    skip()
  }

  return (path) => {
    for (let depth = path.length; depth > 0; depth--) {
      const found = lines.get(JSON.stringify(path.slice(0, depth)))
      if (found !== undefined) return found
    }
    return 1
  }
}
