import type { Effort } from "@orra/core"

const THINKING: readonly Effort[] = ["off", "low", "medium", "high"]

/** Tokens for thinking beside the answer. */
export const EFFORT_TOKENS: Readonly<Record<Effort, number>> = {
  off: 0,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
}

/**
 * How a model is told to think: it decides by itself how much, within an effort (from 4.6 on), or gets so many tokens
 * (from 3.7 on). Undefined for a name that says neither. The service lists what models can, but not under the short
 * names by which most are asked for.
 */
export function thinkerOf(model: string): "adaptive" | "budget" | undefined {
  const [, major, minor = "0"] = /claude-(?:[a-z]+-)?(\d)(?:[-.](\d{1,2}))?(?![\d.])/.exec(model) ?? []
  const version = Number(major) * 100 + Number(minor)
  if (version >= 406) return "adaptive"
  return version >= 307 ? "budget" : undefined
}

/** What the effort of a model can be. */
export const effortsOf = (model: string): readonly Effort[] => (thinkerOf(model) ? THINKING : [])
