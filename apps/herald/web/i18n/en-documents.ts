const many = (count: number, shown: string, one: string, more: string): string =>
  count === 1 ? one : `${shown} ${more}`

/** What the screen of documents says. */
export const words = {
  lead: (assistant: string) =>
    `Give ${assistant} documents, and it finds in them what you ask about, and says where it stands.`,
  notSearched:
    "The assistant does not search them now: the owner of this Herald switches that on in the configuration, with documents = true in [tools].",
  choose: "Choose files",
  drop: "or drop them here. Text, Markdown, HTML and PDF, up to 20 MB each.",
  dropHere: "Drop to add",
  uploading: (name: string) => `${name} is being read…`,
  added: (name: string) => `“${name}” can be searched now.`,
  replaced: (name: string) => `“${name}” took the place of the one before.`,
  tooLarge: (name: string) => `${name} is larger than 20 MB: split it.`,
  /** By the code of the answer. */
  refused: {
    document_empty: (name) => `${name} has no text. Pages that are pictures need text recognition first.`,
    document_unsupported: (name) => `${name} is neither text nor HTML nor PDF.`,
    document_encrypted: (name) => `${name} asks for a password: save it without one and try again.`,
    document_unreadable: (name) => `${name} cannot be read: it may be broken.`,
    document_too_large: (name) => `${name} has too much text: split it.`,
    too_large: (name) => `${name} is too large: split it.`,
  } as Readonly<Record<string, (name: string) => string>>,
  failedUpload: (name: string, why: string) => `${name}: ${why}`,
  unreadable: "It could not be read.",
  search: "Try a search",
  results: "What is found",
  noMatch: (query: string) => `No document says anything of “${query}”.`,
  yours: "Your documents",
  emptyTitle: "No documents yet",
  emptyLead: "A manual, a contract, the notes of the club: drop a file above, then ask about it in any chat.",
  example: "“What does our lease say about the heating?”",
  folders: "Folders",
  foldersLead: "Their files are followed: what is new, changed or gone there is so here as well.",
  shared: "shared with everybody",
  count: (count: number, shown: string) => many(count, shown, "1 document", "documents"),
  waiting: "Not read yet",
  reading: "Being read…",
  read: (day: string, time: string) => `Read ${day}, ${time}`,
  failedFolder: "Cannot be read",
  unread: (count: number, shown: string) =>
    many(count, shown, "1 file could not be read", "files could not be read"),
  readAgain: "Read the folders again",
  show: "Show its documents",
  hide: "Hide its documents",
  more: "Show more",
  lines: (count: number, shown: string) => many(count, shown, "1 line", "lines"),
  pages: (count: number, shown: string) => many(count, shown, "1 page", "pages"),
  byWords: "found by its words",
  byMeaning: "found by words and meaning",
  delete: "Delete",
  deleteOf: (name: string) => `Delete “${name}”`,
  deleted: (name: string) => `“${name}” was deleted.`,
  back: (name: string) => `“${name}” is back.`,
  all: "All documents",
  missing: "There is no such document, or no longer.",
  earlier: "Earlier lines",
  later: "Later lines",
  text: "Text of the document",
  place: (page: string | undefined, from: string, to: string) =>
    `${page === undefined ? "" : `page ${page}, `}${from === to ? `line ${from}` : `lines ${from}–${to}`}`,
}
