import { createHash, randomInt } from "node:crypto"
import { randomId } from "@orra/core"

/** Without what people take for each other: 0 and O, 1, I and l. */
const BASE57 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
/** Plans are written by models, which change the case of what they copy: ids of services have one case only. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz"
const API_KEY = /^sk-orra-v1-[0-9a-f]{64}$/

const letters = (count: number, alphabet: string): string =>
  Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join("")

/** The id of a project (`p_`), an orchestration (`o_`), an execution (`e_`) or a key (`k_`): unguessable, 22 characters. */
export const newId = (prefix: "p_" | "o_" | "e_" | "e_comp_" | "k_"): string => prefix + letters(22, BASE57)

/** The id of a service or agent. */
export const newServiceId = (): string => `s_${letters(28, LETTERS)}`

/** A key of a project. It is shown once, to whoever asked for it. */
export const newApiKey = (): string => `sk-orra-v1-${randomId()}${randomId()}`

/** What is kept of a key; undefined for a text that is none. A key is random enough to need no salt. */
export const apiKeyHash = (key: string): string | undefined =>
  API_KEY.test(key) ? createHash("sha256").update(key).digest("hex") : undefined

/** An id that is the same for the same text: what is written twice is there once. */
export const derivedId = (prefix: "c_" | "d_", text: string): string =>
  prefix +
  [...createHash("sha256").update(text).digest()]
    .slice(0, 22)
    .map((byte) => BASE57[byte % BASE57.length])
    .join("")
