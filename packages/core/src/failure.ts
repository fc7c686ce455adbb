import { OrraError } from "./errors.ts"
import { ProviderError } from "./provider.ts"
import type { RunFailure } from "./session.ts"

/** What went wrong, as it is stored and shown. Of an error nobody foresaw the text stays out: it was not made for people. */
export function failureOf(error: unknown): RunFailure {
  if (error instanceof OrraError) {
    return {
      code: error.code,
      message: error.message,
      retryable: error instanceof ProviderError && error.retryable,
    }
  }
  return {
    code: "internal",
    message: "Something went wrong inside; the log has the details.",
    retryable: false,
  }
}
export const isLogFailure = (error: unknown): boolean =>
  error instanceof OrraError && (error.code === "lease_lost" || error.code.startsWith("store_"))
