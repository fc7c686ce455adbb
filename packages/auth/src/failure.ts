import * as oauth from "oauth4webapi"
import { AuthError } from "./errors.ts"

/** What an error of the protocol's library is for a person. Nothing of it is kept: it carries whole answers. */
export function asAuthError(error: unknown): unknown {
  if (error instanceof AuthError) return error
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError) {
    return refusal(oauthCode(error))
  }
  // A 401 with a challenge: its code, if any, is of the client and not of a person.
  if (error instanceof oauth.WWWAuthenticateChallengeError) return refusal("invalid_client")
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
    return new AuthError("auth_protocol", "The OAuth server answered something that is not OAuth.", {
      reason: String(error.code),
    })
  }
  return error
}

/** The server's own code, when the error is its refusal. */
export function oauthCode(error: unknown): string {
  if (!(error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError))
    return ""
  // It comes from outside, and codes are short words.
  return /^[a-z_]{1,40}$/.test(error.error) ? error.error : "other"
}

function refusal(error: string): AuthError {
  switch (error) {
    case "invalid_grant":
      return new AuthError(
        "auth_revoked",
        "The server no longer accepts this login: it was revoked, has expired or was used by somebody else. Sign in again.",
        { error },
      )
    case "access_denied":
      return new AuthError("auth_denied", "The sign-in was refused by the person or by the server.", {
        error,
      })
    case "expired_token":
      return new AuthError("auth_expired", "The sign-in was not confirmed in time: start again.", { error })
    case "invalid_client":
    case "unauthorized_client":
      return new AuthError(
        "auth_client_refused",
        "The server does not accept this client: check its id, its secret and what it is registered for.",
        { error },
      )
    case "server_error":
    case "temporarily_unavailable":
      return new AuthError("auth_unreachable", "The OAuth server cannot answer now: try again later.", {
        error,
      })
    default:
      return new AuthError(
        "auth_request_refused",
        `The server refuses the request${error === "other" ? "" : ` (${error})`}: check the scopes and parameters.`,
        { error },
      )
  }
}
