/** What a picture shall be like. What a service does not know it leaves out or says in the prompt. */
export interface ImageLook {
  /** Such as `1024x1024`; `auto` leaves it to the service. */
  readonly size?: string
  /** `standard` and `hd` are older names of `medium` and `high`. */
  readonly quality?: "low" | "medium" | "high" | "standard" | "hd" | "auto"
  readonly style?: "vivid" | "natural"
}

export interface ImageRequest extends ImageLook {
  readonly prompt: string
}

export interface ImageEdit extends ImageRequest {
  /** 1 to 16. */
  readonly images: readonly Picture[]
  /** Where it is transparent the picture is to change. As large as the first one. */
  readonly mask?: Picture
}

/** A picture's bytes, of the type that they begin like. */
export interface Picture {
  readonly mediaType: PictureType
  readonly bytes: Uint8Array
}

export type PictureType = "image/png" | "image/jpeg" | "image/gif" | "image/webp"

export interface MadePicture extends Picture {
  /** What the service made of the prompt, if it says so. */
  readonly revisedPrompt?: string
  /** What it cost in USD, where prices are known. */
  readonly costUsd?: number
}

/** Who makes pictures. Methods throw ImageError and ProviderError. */
export interface ImageProvider {
  readonly id: string
  readonly model: string
  generate(request: ImageRequest, options?: { readonly signal?: AbortSignal }): Promise<MadePicture>
  /** Without it pictures cannot be changed. */
  edit?(request: ImageEdit, options?: { readonly signal?: AbortSignal }): Promise<MadePicture>
}

const BEGINNINGS: readonly (readonly [PictureType, string])[] = [
  ["image/png", "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", "\xff\xd8\xff"],
  ["image/gif", "GIF87a"],
  ["image/gif", "GIF89a"],
]

/** What kind of picture these bytes begin like; undefined for none that a chat can show. */
export function pictureTypeOf(bytes: Uint8Array): PictureType | undefined {
  const beginning = String.fromCharCode(...bytes.subarray(0, 12))
  if (beginning.startsWith("RIFF") && beginning.endsWith("WEBP")) return "image/webp"
  return BEGINNINGS.find(([, begins]) => beginning.startsWith(begins))?.[0]
}
