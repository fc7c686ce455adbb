import { INSTANCE_NAME } from "../federation/peers.ts"
import type { Reading } from "./read.ts"
import type { Config } from "./settings.ts"

/** A shorter secret can be guessed by whoever has seen a key that was made of it. */
const MIN_SECRET = 24

/** Heralds that talk to each other know each other by name and by a secret. */
export function checkFederation({ federation, gateway }: Config, { problems, line }: Reading): void {
  const { enabled, instance_name, shared_secret, port, peers } = federation
  if (!enabled) return
  const wrong = (key: string, message: string, ...below: readonly (string | number)[]): void =>
    void problems.push({
      line: line(["federation", key, ...below]),
      message: `federation.${key}${below.length > 0 ? `[${below[0]}].${below[1]}` : ""} ${message}`,
    })
  const nameRule = 'must be letters, digits and "-", at most 32'
  if (instance_name !== undefined && !INSTANCE_NAME.test(instance_name)) wrong("instance_name", nameRule)
  if (port === undefined && gateway.port === 65_535)
    wrong("port", "is needed: there is no port after gateway.port 65535")
  const names = new Set<string>()
  peers.forEach(({ name, url, shared_secret: own }, index) => {
    if (name !== "" && !INSTANCE_NAME.test(name)) wrong("peers", nameRule, index, "name")
    const key = name.toLowerCase()
    if (names.has(key)) wrong("peers", `"${name}" is used twice`, index, "name")
    if (instance_name !== undefined && key === instance_name.toLowerCase())
      wrong("peers", `"${name}" is this Herald's own name`, index, "name")
    names.add(key)
    if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
      wrong("peers", "must be an address that begins with http:// or https://", index, "url")
    const secret = own ?? shared_secret
    if (secret === undefined)
      wrong(
        "peers",
        "is needed, or federation.shared_secret: the other side has the same",
        index,
        "shared_secret",
      )
    else if (secret.length < MIN_SECRET)
      wrong(
        "peers",
        `must have ${MIN_SECRET} characters at least: openssl rand -hex 32 makes one`,
        index,
        "shared_secret",
      )
  })
}
