export {
  AccessToken,
  type AccessTokenParts,
  staticToken,
  type TokenProvider,
  type TokenRequest,
} from "./access-token.ts"
export { type AuthorizedFetchOptions, authorizedFetch } from "./authorized-fetch.ts"
export { type Authorization, type DeviceLogin, OAuthClient, type OAuthClientOptions } from "./client.ts"
export { AuthError, type AuthErrorCode } from "./errors.ts"
export type { OAuthServer, ServerOptions } from "./server.ts"
export { type LoginInfo, TokenStore, type TokenStoreOptions } from "./token-store.ts"
