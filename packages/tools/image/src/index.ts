export { ImageError, type ImageErrorCode } from "./errors.ts"
export { ImageFiles, type StoredImage } from "./files.ts"
export { type ImagePrice, type OpenAIImagesOptions, openaiImages } from "./openai-images.ts"
export type {
  ImageEdit,
  ImageLook,
  ImageProvider,
  ImageRequest,
  MadePicture,
  Picture,
  PictureType,
} from "./provider.ts"
export { type ImageToolsOptions, imageTools } from "./tools.ts"
