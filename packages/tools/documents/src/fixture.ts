import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, type SessionStore } from "@orra/core"
import type { Embedder } from "@orra/search"
import { fileStore } from "@orra/store-file"
import { sqliteStore } from "@orra/store-sql"
import { onTestFinished } from "vitest"

/** A folder that is gone after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "orra-documents-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new store of each kind. */
export const stores: Readonly<Record<string, () => Promise<SessionStore>>> = {
  memory: async () => new MemoryStore(),
  file: async () => await fileStore({ path: newFolder() }),
  sqlite: async () => await sqliteStore({ path: join(newFolder(), "documents.db"), now: () => 7 }),
}

/** Texts are near each other when they have the same letters. Fails while `down` is true. */
export function lettersEmbedder(): Embedder & { down: boolean; asked: number } {
  return {
    id: "letters",
    down: false,
    asked: 0,
    async embed(texts) {
      this.asked += texts.length
      if (this.down) throw new Error("The embedder is down.")
      return texts.map((text) => {
        const counts = new Float32Array(26)
        for (const letter of text.toLowerCase()) {
          const place = letter.charCodeAt(0) - 97
          if (place >= 0 && place < 26) counts[place] = (counts[place] ?? 0) + 1
        }
        return counts
      })
    },
  }
}

/** A PDF with a line of text on each page. */
export function pdf(pages: readonly string[], trailer = ""): Buffer {
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    `<</Type/Pages/Count ${pages.length}/Kids[${pages.map((_, at) => `${4 + 2 * at} 0 R`).join(" ")}]>>`,
    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ...pages.flatMap((text, at) => {
      const content = `BT /F 12 Tf 72 720 Td (${text}) Tj ET`
      return [
        `<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F 3 0 R>>>>/Contents ${5 + 2 * at} 0 R>>`,
        `<</Length ${content.length}>>stream\n${content}\nendstream`,
      ]
    }),
  ]
  const body = objects.map((object, at) => `${at + 1} 0 obj\n${object}\nendobj\n`).join("")
  return Buffer.from(`%PDF-1.4\n${body}trailer\n<</Root 1 0 R${trailer}>>\n%%EOF\n`, "latin1")
}
