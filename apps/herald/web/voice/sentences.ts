/** Longest piece that is said at once, in characters; the first is short, so that there is soon something to hear. */
const FIRST = 300
const MOST = 1_500

/** What is read aloud of an answer: its text without marks, code and addresses, in pieces that end with a sentence. */
export function spokenPieces(markdown: string): readonly string[] {
  const text = plain(markdown)
  const pieces: string[] = []
  let piece = ""
  for (const sentence of text.match(/[^.!?。！？\n]+[.!?。！？]*[\s]*|[.!?。！？\n]+/gu) ?? []) {
    for (const part of parts(sentence)) {
      if (piece.length + part.length > (pieces.length === 0 ? FIRST : MOST) && piece.trim() !== "") {
        pieces.push(piece.trim())
        piece = ""
      }
      piece += part
    }
  }
  return piece.trim() === "" ? pieces : [...pieces, piece.trim()]
}

/** A sentence without end is cut between characters. */
const parts = (sentence: string): readonly string[] =>
  sentence.length <= MOST ? [sentence] : (sentence.match(new RegExp(`.{1,${MOST}}`, "gsu")) ?? [])

const plain = (markdown: string): string =>
  markdown
    .replace(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^\1[^\n]*$|$(?![\s\S]))/gm, "\n")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/https?:\/\/\S+/g, "")
    .replace(/^\s*\|?[\s:|-]+\|[\s:|-]*$/gm, "")
    .replace(/^\s*(?:#{1,6}|>|[-*+]|\d+[.)])\s+/gm, "")
    .replace(/[*_`~|]+/g, " ")
    .replace(/[ \t]+/g, " ")
