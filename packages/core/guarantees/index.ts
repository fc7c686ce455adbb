// Promises: GUARANTEES.md says what is said here. Each promise names the test that holds it and a change of the code
// that makes that test fail. `node scripts/guarantees.ts` writes the page, `node scripts/mutate.ts` makes the changes,
// each in a copy, and sees the tests fail.

import { agents } from "./agents.ts"
import { approval } from "./approval.ts"
import { budget } from "./budget.ts"
import { context } from "./context.ts"
import { durability } from "./durability.ts"
import type { Guarantee } from "./guarantee.ts"
import { isolation } from "./isolation.ts"
import { laws } from "./laws.ts"
import { merged } from "./merged.ts"
import { policy } from "./policy.ts"
import { processes } from "./processes.ts"
import { transcript } from "./transcript.ts"

export const guarantees: readonly Guarantee[] = merged([
  ...laws,
  ...isolation,
  ...policy,
  ...transcript,
  ...context,
  ...budget,
  ...approval,
  ...agents,
  ...durability,
  ...processes,
])
