import {
  type ImagePart,
  type JsonObject,
  Namespace,
  type TextPart,
  type Tool,
  type ToolContext,
  type ToolOutput,
} from "@orra/core"

/**
 * Calls one of these tools as a runtime would once policy has allowed it: the arguments are parsed first. The context
 * is made up, except for what is given.
 *
 * ```ts
 * const output = await useTool([weather], "weather", { city: "Oslo" }, { signal })
 * console.log(textOf(output))
 * ```
 *
 * @throws what the tool throws; InvalidInput for arguments that it does not take.
 */
export async function useTool(
  tools: readonly Tool[],
  name: string,
  input: JsonObject = {},
  context: Partial<ToolContext> = {},
): Promise<ToolOutput> {
  const found = tools.find(({ definition }) => definition.name === name)
  if (!found) {
    const names = tools.map(({ definition }) => definition.name).join(", ")
    throw new Error(`There is no tool ${name} among ${names}.`)
  }
  return await found.execute(await found.parse(input), {
    namespace: Namespace.of("test"),
    runId: "run",
    callId: "call",
    idempotencyKey: "key",
    signal: new AbortController().signal,
    metadata: {},
    progress() {},
    ...context,
  })
}

/** The text of what a tool answered. A picture is its type in angle brackets: `<image/png>`. */
export function textOf({ content }: { readonly content: readonly (TextPart | ImagePart)[] }): string {
  return content.map((part) => (part.type === "text" ? part.text : `<${part.mediaType}>`)).join("\n")
}
