// What reads pages and documents, without what fetches them.

export { type ContentKind, decodeText, kindOfBytes } from "./content.ts"
export { WebError } from "./errors.ts"
export { htmlToMarkdown, type MarkdownPage, type PdfOptions, type PdfText, readPdf } from "./reading.ts"
