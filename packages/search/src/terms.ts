/** Longer words are names of nothing: data in a text. Both sides are cut alike, so they still find each other. */
const MAX_TERM = 64

/** Letters and digits below 128. */
const IS_WORD = Uint8Array.from({ length: 128 }, (_, code) =>
  /[a-z0-9]/i.test(String.fromCharCode(code)) ? 1 : 0,
)

/**
 * Runs of one kind in text that is not ASCII: scripts whose words are not told apart by anything (1), those that are
 * written without spaces and whose words a dictionary knows (2), and words as most scripts have them.
 */
const RUNS =
  /([[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}]&&[\p{L}\p{M}]]+)|([[\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]&&[\p{L}\p{M}]]+)|[[\p{L}\p{N}\p{M}]--[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Bopomofo}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]]+/gv

/** Accents of Latin, Greek and Cyrillic, vowel points of Hebrew and Arabic: words are looked up without. */
const MARKS = /[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]/g
const LETTERS = /[ßæœøđðłıςþ]/g
/** Letters that Unicode does not take apart and people type without what is special about them. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  ı: "i",
  ς: "σ",
  þ: "th",
}

/**
 * Calls `visit` with each term of a text that is to be found: words without case and accents. Chinese, Japanese and
 * Korean become single characters and pairs of neighbours, which finds any word without a dictionary; Thai, Lao,
 * Khmer and Burmese the words that `Intl.Segmenter` sees.
 */
export function eachTerm(text: string, visit: (term: string) => void): void {
  scan(text, visit, true)
}

/** The terms of a question, each once: as those of a text, but of neighbouring characters only the pairs. */
export function queryTerms(text: string): ReadonlySet<string> {
  const found = new Set<string>()
  scan(text, (term) => found.add(term), false)
  return found
}

/** The terms of a text in their order, as the index sees them: "Crème brûlée, 東京" is creme, brulee, 東, 東京, 京. */
export function terms(text: string): readonly string[] {
  const found: string[] = []
  eachTerm(text, (term) => found.push(term))
  return found
}

function scan(text: string, visit: (term: string) => void, singles: boolean): void {
  const lower = text.toLowerCase()
  let start = -1
  let plain = true
  for (let at = 0; at <= lower.length; at++) {
    const code = at < lower.length ? lower.charCodeAt(at) : 32
    if (code >= 128) plain = false
    if (code >= 128 || IS_WORD[code] === 1) {
      if (start < 0) start = at
    } else if (start >= 0) {
      const run = lower.slice(start, at)
      if (plain) visit(run.length > MAX_TERM ? run.slice(0, MAX_TERM) : run)
      else scanOther(run, visit, singles)
      start = -1
      plain = true
    }
  }
}

/** A stretch in which there is more than ASCII. */
function scanOther(run: string, visit: (term: string) => void, singles: boolean): void {
  for (const [word, unspaced, segmented] of folded(run).matchAll(RUNS)) {
    if (unspaced !== undefined) neighbours(unspaced, visit, singles)
    else if (segmented !== undefined) {
      for (const { segment, isWordLike } of new Intl.Segmenter("th", { granularity: "word" }).segment(
        segmented,
      ))
        if (isWordLike) visit(segment.slice(0, MAX_TERM))
    } else visit(word.slice(0, MAX_TERM))
  }
}

/** Source: Unicode NFKD without the marks, put together again. */
const folded = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(MARKS, "")
    .normalize("NFC")
    .toLowerCase()
    .replace(LETTERS, (letter) => PLAIN[letter] ?? letter)

function neighbours(run: string, visit: (term: string) => void, singles: boolean): void {
  const characters = Array.from(run)
  if (singles || characters.length === 1) for (const character of characters) visit(character)
  for (let at = 1; at < characters.length; at++) visit(`${characters[at - 1]}${characters[at]}`)
}
