import type { Namespace } from "@orra/core"
import type { Embedder } from "@orra/search"
import type { Spend } from "../outlay.ts"

/** USD for a million tokens of OpenAI's, as of 2026-11. */
export const EMBEDDING_USD: Readonly<Record<string, number>> = {
  "text-embedding-3-small": 0.02,
  "text-embedding-3-large": 0.13,
  "text-embedding-ada-002": 0.1,
}

/** The same embedder, whose work somebody pays for: by the tokens that the service counts. */
export function chargedEmbedder(
  inner: Embedder,
  {
    payer,
    usdPerMillion,
    spend,
  }: { readonly payer: Namespace; readonly usdPerMillion: number; readonly spend: Spend },
): Embedder {
  const usd = (tokens: number): number => (tokens * usdPerMillion) / 1e6
  return {
    id: inner.id,
    async embed(texts, options) {
      // Nearly always a token is a character or more.
      const atMost = usd(texts.reduce((sum, text) => sum + text.length, 0))
      const { vectors } = await spend(payer, { atMost, unknown: atMost }, async () => {
        let tokens: number | undefined
        const onUsage = (counted: number): void => {
          tokens = (tokens ?? 0) + counted
        }
        const vectors = await inner.embed(texts, { ...options, onUsage })
        return { vectors, ...(tokens !== undefined && { costUsd: usd(tokens) }) }
      })
      return vectors
    },
  }
}
