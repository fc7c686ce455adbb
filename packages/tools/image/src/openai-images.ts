import { type OpenAIServiceOptions, openaiService, type ServiceCall } from "@orra/openai"
import { ImageError } from "./errors.ts"
import {
  type ImageLook,
  type ImageProvider,
  type ImageRequest,
  type MadePicture,
  type Picture,
  pictureTypeOf,
} from "./provider.ts"

/** USD for a million tokens. */
export interface ImagePrice {
  readonly textInput: number
  readonly imageInput: number
  readonly output: number
}

export interface OpenAIImagesOptions extends OpenAIServiceOptions {
  /** Default "gpt-image-2.6-flare"; "gpt-image-2.6-sunburst" takes longer, for more detail. */
  readonly model?: string
  /** Default "webp", which is small enough for a chat; of the models before gpt-image it is what they give. */
  readonly format?: "png" | "jpeg" | "webp"
  /** How much webp and jpeg are to be like the original, 0 to 100. Default 85. */
  readonly compression?: number
  /** What the model costs. Default: what is known of OpenAI's, as of 2026-11. */
  readonly price?: ImagePrice
}

const SECOND: ImagePrice = { textInput: 5, imageInput: 8, output: 30 }
const PRICES: Readonly<Record<string, ImagePrice>> = {
  "gpt-image-2.6-flare": SECOND,
  "gpt-image-2.6-sunburst": SECOND,
  "gpt-image-2.5-flare": SECOND,
  "gpt-image-2.5-sunburst": SECOND,
  "gpt-image-2": SECOND,
  // OpenAI ends these two on 2026-12-01.
  "gpt-image-1.5": { textInput: 5, imageInput: 8, output: 32 },
  "gpt-image-1-mini": { textInput: 2, imageInput: 2.5, output: 8 },
}

const REFUSALS = new Set(["moderation_blocked", "content_policy_violation", "image_generation_user_error"])
const QUALITY: Readonly<Record<string, "medium" | "high">> = { standard: "medium", hd: "high" }
/** Models that know three sizes only. */
const FIXED_SIZES = /^gpt-image-1(\.5|-mini)?(-|$)/
const STYLES = { vivid: "Style: vivid, dramatic, saturated.", natural: "Style: natural, true to life." }

type Response = Awaited<ReturnType<ServiceCall["sdk"]["images"]["generate"]>>

/**
 * Pictures by OpenAI's models, and by servers that speak `/v1/images`.
 *
 * ```ts
 * const images = openaiImages({ model: "gpt-image-2.6-flare" })
 * const { bytes, mediaType } = await images.generate({ prompt: "A heron, in ink" })
 * ```
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function openaiImages(options: OpenAIImagesOptions = {}): ImageProvider {
  const { model = "gpt-image-2.6-flare", format = "webp", compression = 85, price = PRICES[model] } = options
  const service = openaiService(options)
  const isOld = model.startsWith("dall-e") || !service.official
  const refusal = (code: string): ImageError | undefined => (REFUSALS.has(code) ? refused(code) : undefined)
  const look = ({ size, quality }: ImageLook) => ({
    model,
    n: 1,
    ...(size !== undefined && { size: sizeFor(model, size) }),
    ...(quality !== undefined && { quality: isOld ? quality : (QUALITY[quality] ?? quality) }),
  })
  // Other servers may know only what DALL-E did, and would answer with an address that nobody has checked.
  const form = isOld
    ? { response_format: "b64_json" as const }
    : { output_format: format, ...(format === "png" ? {} : { output_compression: compression }) }
  const ask = async (
    signal: AbortSignal | undefined,
    work: (call: ServiceCall) => Promise<Response>,
  ): Promise<MadePicture> => made(await service.call(model, signal, work, refusal), price)

  return {
    id: service.id,
    model,
    generate: (request, { signal } = {}) =>
      ask(signal, ({ sdk, signal }) => {
        const style = isOld && request.style !== undefined ? { style: request.style } : {}
        return sdk.images.generate(
          { ...look(request), ...form, ...style, prompt: prompted(request, isOld) },
          { signal },
        )
      }),
    edit: (request, { signal } = {}) =>
      ask(signal, ({ sdk, signal }) => {
        const { images, mask } = request
        const files = images.map((picture, at) => fileOf(picture, `image-${at + 1}`))
        const [first] = files
        const { quality, ...given } = look(request)
        const sent = {
          ...given,
          ...(quality !== undefined && quality !== "hd" && { quality }),
          ...form,
          prompt: prompted(request, isOld),
          image: files.length === 1 && first ? first : files,
          ...(mask && { mask: fileOf(mask, "mask") }),
        }
        return sdk.images.edit(sent, { signal })
      }),
  }
}

/** Those models have no parameter for it. */
const prompted = ({ prompt, style }: ImageRequest, isOld: boolean): string =>
  style === undefined || isOld ? prompt : `${prompt}\n\n${STYLES[style]}`

function sizeFor(model: string, size: string): string {
  const [width = 0, height = 0] = size.split("x").map(Number)
  if (!FIXED_SIZES.test(model) || !(width > 0 && height > 0)) return size
  if (width === height) return "1024x1024"
  return width > height ? "1536x1024" : "1024x1536"
}

function fileOf({ bytes, mediaType }: Picture, name: string): File {
  return new File([new Uint8Array(bytes)], `${name}.${mediaType.slice("image/".length)}`, { type: mediaType })
}

function made(response: Response, price: ImagePrice | undefined): MadePicture {
  if (!("data" in response)) throw noPicture()
  const [image] = response.data ?? []
  const bytes = Buffer.from(image?.b64_json ?? "", "base64")
  const mediaType = pictureTypeOf(bytes)
  if (!mediaType) throw noPicture()
  const costUsd = response.usage && price ? costOf(response.usage, price) : undefined
  return {
    bytes,
    mediaType,
    ...(typeof image?.revised_prompt === "string" && { revisedPrompt: image.revised_prompt }),
    ...(costUsd !== undefined && { costUsd }),
  }
}

type Usage = NonNullable<Extract<Response, { data?: unknown }>["usage"]>

/** Undefined when the service does not count as OpenAI does. */
function costOf(
  { input_tokens, input_tokens_details: details, output_tokens }: Usage,
  price: ImagePrice,
): number | undefined {
  const images = details?.image_tokens ?? 0
  const usd =
    ((input_tokens - images) * price.textInput + images * price.imageInput + output_tokens * price.output) /
    1e6
  return Number.isFinite(usd) && usd >= 0 ? usd : undefined
}

const refused = (reason: string): ImageError =>
  new ImageError("image_refused", "The service does not make such a picture: ask for something else.", {
    reason,
  })

const noPicture = (): ImageError =>
  new ImageError(
    "image_invalid",
    "The service answered with no picture: try again, or check that this model makes pictures.",
  )
