/** A change of the code under which a test must fail. `text` is found exactly once in the file. */
export interface Mutation {
  readonly file: string
  readonly text: string
  readonly replacement: string
}

/** A test, and a change that it finds out. */
export interface Proof {
  /** The file that is run. */
  readonly file: string
  /** The test's own name as it is written, up to its first parameter if it has any. */
  readonly test: string
  /** Where the test is written, when `file` runs it as part of a suite. */
  readonly suite?: string
  readonly mutation: Mutation
}

export interface Guarantee {
  /** Stable: documents and issues refer to it. */
  readonly id: string
  readonly title: string
  /** What is promised, in words a user can hold us to. */
  readonly promise: string
  readonly proofs: readonly Proof[]
}

export const core = (name: string): string => `packages/core/src/${name}`
export const testing = (name: string): string => `packages/testing/src/${name}`
