import { OrraError } from "@orra/core"

/**
 * - `image_refused`: the service's moderation does not make such a picture.
 * - `image_invalid`: what came is no picture.
 * - `image_too_large`: a picture has more bytes than it may have.
 * - `image_not_found`: there is no picture of this name in this namespace.
 */
export type ImageErrorCode = "image_refused" | "image_invalid" | "image_too_large" | "image_not_found"

/** A picture that did not come about. The message says what to do, to a model or a person. */
export class ImageError extends OrraError {
  declare readonly code: ImageErrorCode

  constructor(code: ImageErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, details)
  }
}
