import { InvalidInput } from "@orra/core"

/**
 * The address of a service as an SDK takes it: without a slash at the end, and without `ending`, the paths the SDK
 * adds by itself and people copy all the same.
 *
 * @throws InvalidInput when it is no http(s) address, or one with a password in it. The message shows `example`
 *   and never what was given.
 */
export function serviceAddress(baseURL: string, ending: RegExp, example: string): string {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new InvalidInput(`The base URL must be like "${example}", without a password in it.`)
  }
  return url.origin + url.pathname.replace(/\/+$/, "").replace(ending, "")
}
