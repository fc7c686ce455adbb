/** Text in which nothing hides: what no reader would see, and what turns the direction of writing, is shown as its number. */
export const plainly = (text: string): string =>
  text.replace(/[^\P{C}\n]|[\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`
  })
