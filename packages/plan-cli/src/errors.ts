/** Something that went wrong, with what to do about it. */
export class CliError extends Error {
  readonly code: string
  /** What to do, as one or more whole sentences or commands. */
  readonly hint: string | undefined

  constructor(code: string, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}
