import { OrraError } from "@orra/core"

/**
 * - `auth_not_signed_in`: nobody has signed in here, or has signed out.
 * - `auth_expired`: the token has run out and there is none to renew it with; or a device code was not confirmed in time.
 * - `auth_revoked`: the server no longer accepts what the token is renewed with.
 * - `auth_denied`: the person said no.
 * - `auth_state_unknown`: a person came back from a sign-in that was not begun here, is too old, or was finished already.
 * - `auth_answer_refused`: a person came back with an answer that is not to be trusted, or with a code that is not valid.
 * - `auth_client_refused`: the server does not accept the client id, its secret, or what the client is registered for.
 * - `auth_request_refused`: the server refuses what it was asked for, such as a scope. `details.error` is its own code.
 * - `auth_host_refused`: an address that is not allowed: another host, or one without TLS.
 * - `auth_unreachable`: no answer, or one that says to try later.
 * - `auth_protocol`: the server answered something that is not OAuth.
 * - `auth_key_unknown`: the key that the record is encrypted with was not given.
 * - `auth_record_unreadable`: the record was damaged, or is of another place.
 */
export type AuthErrorCode =
  | "auth_not_signed_in"
  | "auth_expired"
  | "auth_revoked"
  | "auth_denied"
  | "auth_state_unknown"
  | "auth_answer_refused"
  | "auth_client_refused"
  | "auth_request_refused"
  | "auth_host_refused"
  | "auth_unreachable"
  | "auth_protocol"
  | "auth_key_unknown"
  | "auth_record_unreadable"

/**
 * A sign-in or a token that did not come about. Neither message nor details hold a secret or a text of the server's,
 * and there is no cause: the errors below it carry whole answers.
 */
export class AuthError extends OrraError {
  declare readonly code: AuthErrorCode
  /** True when the same may succeed later. */
  readonly retryable: boolean

  constructor(code: AuthErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, details)
    this.retryable = code === "auth_unreachable"
  }
}
