import { MAX_CONTENT, splitText } from "./split.ts"

/** A message that was posted. */
export interface Posted {
  edit(content: string): Promise<void>
  remove(): Promise<void>
}

/** Where an answer is posted: below a message, or as the answer to a command. */
export interface Place {
  post(
    content: string,
    isFirst: boolean,
    file?: { readonly name: string; readonly bytes: Buffer },
  ): Promise<Posted>
  typing(): Promise<void>
}

/** An answer is at most so many messages. What is longer is a file. */
const MAX_MESSAGES = 5
/** Shown behind what is being written. */
const CURSOR = " …"

/** An answer in a channel, which grows while it is written. */
export class Reply {
  readonly #place: Place
  readonly #posted: { readonly message: Posted; content: string }[] = []

  constructor(place: Place) {
    this.#place = place
  }

  /** Shows what there is so far. Each step costs at most two requests, however long the text is. */
  async draft(text: string): Promise<void> {
    await this.#show(splitText(text, MAX_CONTENT - CURSOR.length).slice(0, MAX_MESSAGES), CURSOR)
  }

  async finish(text: string): Promise<void> {
    const pieces = splitText(text.trim() === "" ? "(There is no text in the answer.)" : text)
    if (pieces.length <= MAX_MESSAGES) return await this.#show(pieces, "")
    await this.#show([...pieces.slice(0, 1), "The whole answer is in the file."], "")
    await this.#place.post("", false, { name: "answer.md", bytes: Buffer.from(text) })
  }

  /** Makes what is posted the same as the pieces, with as few requests as that takes. */
  async #show(pieces: readonly string[], cursor: string): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      const content = index === pieces.length - 1 ? piece + cursor : piece
      const there = this.#posted[index]
      if (!there) this.#posted.push({ message: await this.#place.post(content, index === 0), content })
      else if (there.content !== content) {
        await there.message.edit(content)
        there.content = content
      }
    }
    for (const { message } of this.#posted.splice(pieces.length)) await message.remove()
  }
}
