import type { Effort } from "@orra/core"

const THINKING: readonly Effort[] = ["low", "medium", "high"]
const MAY_NOT_THINK: readonly Effort[] = ["off", ...THINKING]

/**
 * What the effort of a model can be, by its name, which is all that services say of their models: OpenAI's that think,
 * of which those from 5.1 on can leave it, and the ones of others that take the same parameter.
 */
export function effortsOf(model: string): readonly Effort[] {
  const name = model.slice(model.lastIndexOf("/") + 1)
  if (/chat|pro\b/.test(name)) return []
  const [, major, minor = "0"] = /^gpt-(\d)(?!\d)(?:\.(\d+))?/.exec(name) ?? []
  const version = Number(major) * 100 + Number(minor)
  if (version > 500) return MAY_NOT_THINK
  return version === 500 || /^(?:o\d|gpt-oss|gemini-(?:2\.5|[3-9]))/.test(name) ? THINKING : []
}

/** The effort asked for as the protocols call it; undefined where the model has none such. */
export function effortOf(
  effort: Effort | undefined,
  model: string,
): "none" | Exclude<Effort, "off"> | undefined {
  if (effort === undefined || !effortsOf(model).includes(effort)) return undefined
  return effort === "off" ? "none" : effort
}
