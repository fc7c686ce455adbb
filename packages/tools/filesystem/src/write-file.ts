import { type Tool, tool } from "@orra/core"
import { assertText, type Before, type Change, type Changing, changeFile } from "./change-file.ts"
import { diffOf } from "./diff.ts"
import { decodeText, encodeText, lineEnding, withLineEnding } from "./file-text.ts"

interface Input {
  readonly path: string
  readonly content: string
}

/** `write_file`: makes a text file, with the folders it needs, or gives one other content. */
export const writeFileTool = (changing: Changing): Tool =>
  tool<Input>({
    name: "write_file",
    description:
      "Writes a text file: makes it, with the folders it needs, or replaces all of its content (and shows the " +
      "difference). To change a part of a file use edit_file.",
    input: {
      type: "object",
      properties: {
        path: { type: "string", description: "The file, relative to the working directory." },
        content: { type: "string", description: "All of its content." },
      },
      required: ["path", "content"],
      additionalProperties: false,
    },
    risk: "write",
    async execute({ path, content }, context) {
      assertText(content, "content")
      return await changeFile(changing, context, path, (before) => written(content, before), true)
    },
  })

/** A file that is replaced keeps how it is written: encoding, byte order mark, line endings. */
function written(content: string, { shown, exists, bytes: before }: Before): Change {
  const old = before && decodeText(before)
  const form = old?.form ?? { encoding: "utf-8", bom: false }
  const marked = content.startsWith("\uFEFF")
  const plain = marked ? content.slice(1) : content
  const text = old && !plain.includes("\r") ? withLineEnding(plain, lineEnding(old.text)) : plain
  const bytes = encodeText(text, { ...form, bom: form.bom || marked })
  const said = `Wrote ${bytes.length} bytes to ${shown}`
  if (!exists) return { bytes, answer: `${said} (a new file)`, untrusted: false }
  return {
    bytes,
    answer: `${said}\n\n${old ? diffOf(shown, old.text, text) : "[what was there before is too large, or no text]"}`,
    untrusted: true,
  }
}
