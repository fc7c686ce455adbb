import { type Budgets, isObject, type Namespace, type SessionStore } from "@orra/core"
import { HttpError, ownNamespace, type Route } from "@orra/gateway"
import { ImageFiles, imageTools, openaiImages, type StoredImage } from "@orra/image"
import type { Config } from "../config/settings.ts"
import type { ToolFamily } from "./tools.ts"

/** Making pictures as the configuration has it. They are files of the chat, and charged to whoever has it. */
export function heraldImages(
  { tools, image }: Config,
  store: SessionStore,
  budgets: Budgets | undefined,
): ToolFamily {
  const provider = openaiImages({
    ...(tools.image_gen_api_key !== undefined && { apiKey: tools.image_gen_api_key }),
    ...(image.api_url !== undefined && { baseURL: image.api_url }),
    model: image.model,
  })
  const { max_usd: maxUsd = 0.5 } = image
  return {
    tools: imageTools({ provider, store, maxUsd, ...(budgets && { budgets }) }),
    remarks: [`pictures: by ${image.model}, at most ${maxUsd} USD each`],
  }
}

/** So many results at the end of a session are looked through, and so many pictures read. */
const MAX_RESULTS = 200
const MAX_PICTURES = 10
const MAKERS: readonly string[] = ["generate_image", "edit_image"]

/** The first pictures that a run has made, in order: as many as a channel posts below an answer. */
export async function picturesOf(
  store: SessionStore,
  session: Namespace,
  runId: string,
): Promise<readonly StoredImage[]> {
  const entries = await store.read(session, {
    types: ["tool_result"],
    direction: "backward",
    limit: MAX_RESULTS,
  })
  const made = entries.toReversed().flatMap((entry) => {
    if (entry.type !== "tool_result" || entry.runId !== runId || !MAKERS.includes(entry.result.name))
      return []
    const { structured } = entry.result
    return isObject(structured) && typeof structured["name"] === "string" ? [structured["name"]] : []
  })
  const files = new ImageFiles(store)
  const found = await Promise.all(made.slice(0, MAX_PICTURES).map((name) => files.read(session, name)))
  return found.filter((image) => image !== undefined)
}

/** The pictures of a chat, for whoever has the chat. */
export const imageRoute = (store: SessionStore): Route => ({
  method: "GET",
  path: "/api/sessions/:namespace/images/:name",
  permission: "chat",
  handle: async ({ principal, params }) => {
    const namespace = ownNamespace(principal, params["namespace"])
    const image = await new ImageFiles(store).read(namespace, params["name"] ?? "")
    if (!image) throw new HttpError(404, "not_found", "There is no such picture.")
    return new Response(new Uint8Array(image.bytes), {
      headers: {
        "content-type": image.mediaType,
        // Another picture has another name.
        "cache-control": "private, max-age=31536000, immutable",
      },
    })
  },
})
