import {
  type CompleteRequest,
  type CompleteResult,
  type GetPromptResult,
  type InputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type Resource,
  type ResourceTemplateType,
  UriTemplate,
} from "@modelcontextprotocol/server"
import { isObject } from "@orra/core"
import type { ClientCall } from "./client-tool.ts"

/** What may stand for `value`, whatever else was chosen already. At most 100 are sent. */
export type Complete = (
  value: string,
  others: Readonly<Record<string, string>>,
) => readonly string[] | Promise<readonly string[]>

/** A prompt that people choose in their client, such as a command of an editor. */
export interface ServedPrompt {
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly arguments?: readonly ServedArgument[]
  /** What is said to the client's model: the text of one message, or messages. */
  get(input: Readonly<Record<string, string>>, call: ClientCall): Answer<GetPromptResult>
}

/** What a prompt is filled in with. */
export interface ServedArgument {
  readonly name: string
  readonly description?: string
  /** Default false. */
  readonly required?: boolean
  readonly complete?: Complete
}

/** Something that clients read. */
export interface ServedResource {
  /** Its address, or a template of addresses: `notes://{id}`. */
  readonly uri: string
  readonly name: string
  readonly title?: string
  readonly description?: string
  readonly mimeType?: string
  /** For the variables of a template. */
  readonly complete?: Readonly<Record<string, Complete>>
  /** Its text, or contents. `variables` are those of the template, decoded. */
  read(variables: Readonly<Record<string, string>>, call: ClientCall, uri: string): Answer<ReadResourceResult>
}

type Answer<T> = string | T | InputRequiredResult | Promise<string | T | InputRequiredResult>

const MAX_COMPLETIONS = 100
const MAX_ADDRESS = 8_000

export const promptDefinition = ({ name, title, description, arguments: given = [] }: ServedPrompt) => ({
  name,
  ...(title !== undefined && { title }),
  ...(description !== undefined && { description }),
  arguments: given.map(({ complete: _, ...each }) => each),
})

/** @throws ProtocolError for what is not there, and arguments that are missing. */
export async function getPrompt(
  prompts: readonly ServedPrompt[],
  name: string,
  input: Readonly<Record<string, string>>,
  call: ClientCall,
): Promise<GetPromptResult | InputRequiredResult> {
  const prompt = prompts.find((each) => each.name === name)
  if (!prompt) throw invalid(`There is no prompt "${name}".`)
  const missing = prompt.arguments?.find((each) => each.required && !Object.hasOwn(input, each.name))
  if (missing) throw invalid(`The prompt "${name}" needs "${missing.name}".`)
  const got = await prompt.get(input, call)
  return typeof got === "string"
    ? { messages: [{ role: "user", content: { type: "text", text: got } }] }
    : got
}

/** Those with an address of their own. */
export const fixedResources = (resources: readonly ServedResource[]): readonly Resource[] =>
  resources.filter((each) => !isTemplate(each)).map(({ uri, ...each }) => ({ uri, ...described(each) }))

export const templates = (resources: readonly ServedResource[]): readonly ResourceTemplateType[] =>
  resources.filter(isTemplate).map(({ uri, ...each }) => ({ uriTemplate: uri, ...described(each) }))

/** What is read at an address; undefined where none of them is there. */
export async function readOffered(
  resources: readonly ServedResource[],
  uri: string,
  call: ClientCall,
): Promise<ReadResourceResult | InputRequiredResult | undefined> {
  for (const resource of resources) {
    const variables = isTemplate(resource) ? variablesOf(resource.uri, uri) : resource.uri === uri && {}
    if (!variables) continue
    const { mimeType } = resource
    const got = await resource.read(variables, call, uri)
    return typeof got === "string"
      ? { contents: [{ uri, text: got, ...(mimeType !== undefined && { mimeType }) }] }
      : got
  }
  return undefined
}

/** What may be filled in. @throws ProtocolError for what is not offered. */
export async function completions(
  { prompts, resources }: { prompts: readonly ServedPrompt[]; resources: readonly ServedResource[] },
  { ref, argument, context }: CompleteRequest["params"],
): Promise<CompleteResult> {
  const found =
    ref.type === "ref/prompt"
      ? prompts.find((each) => each.name === ref.name)
      : resources.find((each) => each.uri === ref.uri)
  if (!found) throw invalid(`There is nothing to complete by that name.`)
  const complete =
    "get" in found
      ? found.arguments?.find((each) => each.name === argument.name)?.complete
      : isObject(found.complete) && Object.hasOwn(found.complete, argument.name)
        ? found.complete[argument.name]
        : undefined
  const all = (await complete?.(argument.value, context?.arguments ?? {})) ?? []
  const values = all.slice(0, MAX_COMPLETIONS)
  return { completion: { values, total: all.length, hasMore: values.length < all.length } }
}

/** Undefined for an address that the template does not make. */
function variablesOf(template: string, uri: string): Readonly<Record<string, string>> | undefined {
  if (uri.length > MAX_ADDRESS) return undefined
  try {
    const found = new UriTemplate(template).match(uri)
    if (!found) return undefined
    const decoded = Object.entries(found).map(([name, value]) => [name, decodeURIComponent(`${value}`)])
    return Object.fromEntries(decoded)
  } catch {
    // Not encoded as addresses are.
    return undefined
  }
}

const isTemplate = ({ uri }: Pick<ServedResource, "uri">): boolean => uri.includes("{")

const described = ({ name, title, description, mimeType }: Omit<ServedResource, "uri">) => ({
  name,
  ...(title !== undefined && { title }),
  ...(description !== undefined && { description }),
  ...(mimeType !== undefined && { mimeType }),
})

const invalid = (message: string): ProtocolError =>
  new ProtocolError(ProtocolErrorCode.InvalidParams, message)
