/**
 * An English word without the ending of its plural, so that "queries" finds "query"; plurals of other languages that end
 * in "s" lose it as well. Text and question are treated alike: what is cut wrongly still finds itself.
 * Source: the "S stemmer" of Harman, "How effective is suffixing?", JASIS 1991.
 */
export function singular(word: string): string {
  if (word.length < 4 || !word.endsWith("s")) return word
  if (word.endsWith("ies") && !/[ae]ies$/.test(word)) return `${word.slice(0, -3)}y`
  if (word.endsWith("es") && !/[aeo]es$/.test(word)) return word.slice(0, -1)
  return /[us]s$/.test(word) ? word : word.slice(0, -1)
}
