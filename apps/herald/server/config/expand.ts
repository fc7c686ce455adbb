export type Environment = Readonly<Record<string, string | undefined>>

export type Expansion =
  /** `expanded`: something of the environment is in it. */
  | { readonly type: "text"; readonly text: string; readonly expanded: boolean }
  | { readonly type: "unset"; readonly names: readonly string[] }
  | { readonly type: "invalid"; readonly message: string }

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * `${NAME}` in a text replaced by the environment's value, `${NAME:-default}` by the default when the variable is
 * unset or empty; `$${` stands for `${`. What comes in is text and stays text: it is not looked at again, so a
 * variable cannot add a key to the file.
 */
export function expand(text: string, env: Environment): Expansion {
  let result = ""
  let at = 0
  let expanded = false
  const unset: string[] = []
  for (;;) {
    const start = text.indexOf("${", at)
    if (start < 0) break
    if (start > at && text[start - 1] === "$") {
      result += `${text.slice(at, start - 1)}\${`
      at = start + 2
      continue
    }
    const end = text.indexOf("}", start)
    const inner = end < 0 ? "" : text.slice(start + 2, end)
    const separator = inner.indexOf(":-")
    const name = separator < 0 ? inner : inner.slice(0, separator)
    if (end < 0)
      return {
        type: "invalid",
        message: `has "\${" without "}"; for the two characters themselves write "$\${"`,
      }
    if (!NAME.test(name)) {
      return {
        type: "invalid",
        message: `has "\${${inner}}", which is not the name of a variable; for the characters themselves write "$\${"`,
      }
    }
    const value = env[name]
    const fallback = separator < 0 ? undefined : inner.slice(separator + 2)
    const chosen = fallback !== undefined && !value ? fallback : value
    if (chosen === undefined) unset.push(name)
    result += text.slice(at, start) + (chosen ?? "")
    expanded = true
    at = end + 1
  }
  if (unset.length > 0) return { type: "unset", names: unset }
  return { type: "text", text: result + text.slice(at), expanded }
}
