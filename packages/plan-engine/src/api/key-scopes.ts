/** What a key may do: connect services, look, begin and cancel orchestrations, or see to the project itself. */
export const SCOPES = ["service", "read", "orchestrate", "admin"] as const

export type Scope = (typeof SCOPES)[number]

export const isScope = (text: unknown): text is Scope => SCOPES.some((scope) => scope === text)
