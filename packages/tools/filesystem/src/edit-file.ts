import { type Tool, tool } from "@orra/core"
import { assertText, type Before, type Change, type Changing, changeFile } from "./change-file.ts"
import { diffOf } from "./diff.ts"
import { FilesystemError } from "./errors.ts"
import { decodeText, encodeText, lineEnding, withLineEnding } from "./file-text.ts"

interface Input {
  readonly path: string
  readonly old_string: string
  readonly new_string: string
  readonly replace_all?: boolean
}

/** `edit_file`: replaces a passage of a text file that is there once, or everywhere it is. */
export const editFileTool = (changing: Changing): Tool =>
  tool<Input>({
    name: "edit_file",
    description:
      "Replaces text in a file: old_string, exactly as it is there and long enough to be there once, by new_string. " +
      "replace_all replaces it everywhere. Shows the difference.",
    input: {
      type: "object",
      properties: {
        path: { type: "string", description: "The file, relative to the working directory." },
        old_string: { type: "string", description: "The text to replace, without line numbers." },
        new_string: { type: "string", description: "What to put in its place." },
        replace_all: { type: "boolean", description: "Replace it everywhere. Default false." },
      },
      required: ["path", "old_string", "new_string"],
      additionalProperties: false,
    },
    risk: "write",
    async execute(input, context) {
      assertText(input.new_string, "new_string")
      if (input.old_string === "")
        throw new FilesystemError(
          "edit_not_found",
          "old_string is empty: to make or replace a whole file use write_file.",
        )
      if (input.old_string === input.new_string)
        throw new FilesystemError(
          "edit_not_found",
          "old_string and new_string are the same: there is nothing to change.",
        )
      return await changeFile(changing, context, input.path, (before) => edited(input, before), false)
    },
  })

function edited({ old_string, new_string, replace_all = false }: Input, { shown, bytes }: Before): Change {
  if (!bytes)
    throw new FilesystemError("file_too_large", `${shown} is too large to be edited. Tell the user.`, {
      path: shown,
    })
  const decoded = decodeText(bytes)
  if (!decoded)
    throw new FilesystemError(
      "content_unsupported",
      `${shown} is not text in UTF-8 or UTF-16, so it cannot be edited.`,
      {
        path: shown,
      },
    )
  const { text, form } = decoded
  // Models write \n whatever the file has.
  const ending = lineEnding(text)
  const [old, now] = [withLineEnding(old_string, ending), withLineEnding(new_string, ending)]
  const places = placesOf(text, old)
  if (places.length === 0) throw notFound(text, old_string, shown)
  if (places.length > 1 && !replace_all) throw ambiguous(text, places, shown)
  let result = ""
  let from = 0
  for (const at of places) {
    result += text.slice(from, at) + now
    from = at + old.length
  }
  result += text.slice(from)
  const said = `Replaced ${places.length} occurrence${places.length === 1 ? "" : "s"} in ${shown}`
  return {
    bytes: encodeText(result, form),
    answer: `${said}\n\n${diffOf(shown, text, result)}`,
    untrusted: true,
  }
}

function placesOf(text: string, part: string): readonly number[] {
  const places: number[] = []
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) places.push(at)
  return places
}

/** The numbers of the lines in which places lie, in one pass. */
function lineNumbers(text: string, places: readonly number[]): readonly number[] {
  let [line, from] = [1, 0]
  return places.map((place) => {
    for (let at = text.indexOf("\n", from); at >= 0 && at < place; at = text.indexOf("\n", from)) {
      line++
      from = at + 1
    }
    return line
  })
}

const NAMED = 20

function ambiguous(text: string, places: readonly number[], path: string): FilesystemError {
  const lines = lineNumbers(text, places.slice(0, NAMED))
  const more = places.length > NAMED ? ", …" : ""
  return new FilesystemError(
    "edit_ambiguous",
    `old_string is in ${path} ${places.length} times, at lines ${lines.join(", ")}${more}. Nothing was changed: give ` +
      "more of the text around the one you mean, or set replace_all.",
    { path, count: places.length, lines },
  )
}

function notFound(text: string, part: string, path: string): FilesystemError {
  const lines = similarLines(text, part)
  const hint =
    lines.length > 0
      ? ` What begins at line ${lines.join(", ")} differs from it only in white space: copy it exactly.`
      : " Read the file again and copy the text exactly, without line numbers."
  return new FilesystemError("edit_not_found", `old_string is not in ${path}. Nothing was changed.${hint}`, {
    path,
    lines,
  })
}

/** Where the lines of `part` stand in another indentation. */
function similarLines(text: string, part: string): readonly number[] {
  const wanted = part.split("\n").map(squeezed)
  while (wanted.length > 1 && wanted[0] === "") wanted.shift()
  while (wanted.length > 1 && wanted.at(-1) === "") wanted.pop()
  if (wanted.every((line) => line === "")) return []
  const lines = text.split("\n").map(squeezed)
  const found: number[] = []
  for (let at = 0; at + wanted.length <= lines.length && found.length < 3; at++)
    if (wanted.every((line, index) => lines[at + index] === line)) found.push(at + 1)
  return found
}

const squeezed = (line: string): string => line.trim().replace(/\s+/g, " ")
