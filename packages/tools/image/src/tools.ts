import {
  type Budgets,
  InvalidInput,
  ProviderError,
  type SessionStore,
  type Tool,
  type ToolContext,
  type ToolOutput,
  tool,
} from "@orra/core"
import { ImageError } from "./errors.ts"
import { ImageFiles } from "./files.ts"
import type { ImageLook, ImageProvider, MadePicture, Picture } from "./provider.ts"

export interface ImageToolsOptions {
  readonly provider: ImageProvider
  /** Where pictures are kept: the store of the runtime's sessions. */
  readonly store: Pick<SessionStore, "records">
  /** Where a picture is charged: `maxUsd` before it is made, what it cost afterwards. */
  readonly budgets?: Budgets
  /** The most that one picture can cost, and what one of unknown cost counts as, in USD. Default 0.5. */
  readonly maxUsd?: number
  /** The largest picture that is kept, in bytes. Default 10,000,000. */
  readonly maxBytes?: number
  /**
   * The largest picture that is in the answer, which the model and the chat see; of a larger one it is the name. Default
   * 700,000 bytes: a runtime keeps 1,000,000 of an answer, in base64.
   */
  readonly maxShownBytes?: number
  /** How long a picture may take, in ms. Default 240,000. */
  readonly timeoutMs?: number
}

const MAX_PROMPT = 32_000

const LOOK = {
  size: {
    type: ["string", "null"],
    enum: ["1024x1024", "1792x1024", "1024x1792", "1536x1024", "1024x1536", "auto", null],
    description: "Width and height in pixels, as near as the service can. Default 1024x1024.",
  },
  style: {
    type: ["string", "null"],
    enum: ["vivid", "natural", null],
    description: "Dramatic, or true to life. Default: as the prompt says.",
  },
  quality: {
    type: ["string", "null"],
    enum: ["standard", "hd", "low", "medium", "high", "auto", null],
    description: "More costs more. Default standard.",
  },
}

interface LookInput {
  readonly size?: string | null
  readonly style?: NonNullable<ImageLook["style"]> | null
  readonly quality?: NonNullable<ImageLook["quality"]> | null
}

/**
 * `generate_image` makes a picture, and `edit_image` another one of those that are kept, where the provider can. Both keep
 * it as a file of the session's namespace and show it.
 *
 * ```ts
 * const tools = imageTools({ provider: openaiImages(), store, budgets })
 * ```
 *
 * @throws InvalidInput for limits that are none.
 */
export function imageTools(options: ImageToolsOptions): readonly Tool[] {
  const {
    provider,
    budgets,
    maxUsd = 0.5,
    maxBytes = 10_000_000,
    maxShownBytes = 700_000,
    timeoutMs = 240_000,
  } = options
  for (const limit of [maxUsd, maxBytes, maxShownBytes, timeoutMs]) {
    if (!(limit >= 0 && Number.isFinite(limit)))
      throw new InvalidInput("A limit of imageTools is a number from 0 on.")
  }
  const files = new ImageFiles(options.store)

  const perform = async (context: ToolContext, make: () => Promise<MadePicture>): Promise<ToolOutput> => {
    const outlay = await budgets?.setAside(context, maxUsd)
    // What was begun and came to nothing may have cost anything; what the service refused cost nothing.
    let spent = maxUsd
    try {
      const picture = await make()
      spent = picture.costUsd ?? maxUsd
      return await shown(context, picture)
    } catch (error) {
      if (isRefusal(error)) spent = 0
      throw error
    } finally {
      await outlay?.settle(spent)
    }
  }

  const shown = async (context: ToolContext, picture: MadePicture): Promise<ToolOutput> => {
    const { bytes, mediaType, revisedPrompt, costUsd } = picture
    if (bytes.length > maxBytes) {
      throw new ImageError(
        "image_too_large",
        `The picture has ${bytes.length} bytes, of at most ${maxBytes}: ask for a smaller one.`,
      )
    }
    const name = await files.save(context.namespace, picture)
    const isShown = bytes.length <= maxShownBytes
    const lines = [
      `Generated image: ${name}`,
      ...(isShown ? [] : [`It is too large to be shown here (${bytes.length} bytes).`]),
      ...(revisedPrompt === undefined ? [] : [`Revised prompt: ${revisedPrompt}`]),
    ]
    const data = Buffer.from(bytes).toString("base64")
    return {
      content: [
        { type: "text", text: lines.join("\n") },
        ...(isShown ? [{ type: "image" as const, mediaType, data }] : []),
      ],
      structured: { name, mediaType, bytes: bytes.length, ...(costUsd !== undefined && { costUsd }) },
    }
  }

  const stored = async (context: ToolContext, name: string): Promise<Picture> => {
    const image = await files.read(context.namespace, name)
    if (image) return image
    throw new ImageError(
      "image_not_found",
      `There is no picture "${name}": use the name of one that was made here.`,
    )
  }

  const common = { risk: "network", timeoutMs } as const
  const prompt = (description: string) => ({
    type: "string",
    minLength: 1,
    maxLength: MAX_PROMPT,
    description,
  })
  const generate = tool<{ prompt: string } & LookInput>({
    ...common,
    name: "generate_image",
    description: "Makes a picture from a description and shows it.",
    input: {
      type: "object",
      properties: { prompt: prompt("What the picture shows, and how."), ...LOOK },
      required: ["prompt"],
      additionalProperties: false,
    },
    execute: async ({ prompt, ...look }, context) =>
      await perform(context, () =>
        provider.generate({ prompt: said(prompt), ...lookOf(look) }, { signal: context.signal }),
      ),
  })
  const edit = provider.edit?.bind(provider)
  if (!edit) return [generate]
  return [
    generate,
    tool<{ prompt: string; images: readonly string[]; mask?: string | null } & LookInput>({
      ...common,
      name: "edit_image",
      description: "Makes a new picture of one or more that were made here, and shows it. The old ones stay.",
      input: {
        type: "object",
        properties: {
          prompt: prompt("What shall be different, and what shall stay."),
          images: {
            type: "array",
            minItems: 1,
            maxItems: 16,
            items: { type: "string", maxLength: 100 },
            description: "Their names, as generate_image and edit_image gave them.",
          },
          mask: {
            type: ["string", "null"],
            maxLength: 100,
            description:
              "The name of a PNG as large as the first picture: only where it is transparent may that change.",
          },
          ...LOOK,
        },
        required: ["prompt", "images"],
        additionalProperties: false,
      },
      execute: async ({ prompt, images, mask, ...look }, context) => {
        const given = await Promise.all(images.map((name) => stored(context, name)))
        const limited = mask ? { mask: await stored(context, mask) } : {}
        const request = { prompt: said(prompt), images: given, ...limited, ...lookOf(look) }
        const { signal } = context
        return await perform(context, () => edit(request, { signal }))
      },
    }),
  ]
}

/** The service has answered, and it was no. */
const isRefusal = (error: unknown): boolean =>
  (error instanceof ImageError && error.code === "image_refused") ||
  (error instanceof ProviderError && error.status !== undefined && error.status < 500)

function said(prompt: string): string {
  if (prompt.trim() === "") throw new InvalidInput("The prompt is empty: say what the picture shows.")
  return prompt
}

const lookOf = ({ size, style, quality }: LookInput): ImageLook => ({
  size: size ?? "1024x1024",
  quality: quality ?? "standard",
  ...(style && { style }),
})
