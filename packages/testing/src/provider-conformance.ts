import { describe } from "vitest"
import { answerConformance } from "./provider/answers.ts"
import { failureConformance } from "./provider/failures.ts"
import type { MakeProvider } from "./provider/fixture.ts"
import { runConformance } from "./provider/runs.ts"
import { transcriptConformance } from "./provider/transcripts.ts"

export type { MakeProvider, ProviderSettings } from "./provider/fixture.ts"

/**
 * Registers the vitest tests that every `Provider` must pass which talks to a service over HTTP: answers in any
 * split, calls, usage, failures by kind, trying again, silence, stopping, transcripts of every sort, and whole runs. The service
 * is `fakeModelServer`, on a real socket. The environment variable `ORRA_TEST_FULL=1` adds the long forms.
 *
 * ```ts
 * providerConformance("claude", (server, settings) => claude({ ...settings, baseURL: server.url }))
 * ```
 */
export function providerConformance(name: string, make: MakeProvider): void {
  describe(`${name} keeps the promises of Provider`, () => {
    answerConformance(make)
    failureConformance(make)
    transcriptConformance(make)
    runConformance(make)
  })
}
