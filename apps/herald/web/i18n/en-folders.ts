/** What the dialogs about folders say. */
export const words = {
  make: "New folder",
  change: (name: string) => `Folder “${name}”`,
  lead: "Chats that belong together. All but the name may stay empty.",
  name: "Name",
  namePlaceholder: "Garden, Work, Trip to Kyoto…",
  instructions: "Instructions",
  instructionsHint:
    "Whoever answers in a chat of this folder is told this first, such as: Answer in French, in short sentences.",
  agent: "Who answers",
  agentHint: "In chats that begin here.",
  standard: (name: string) => `${name} (standard)`,
  directory: "Directory",
  directoryHint: "Where tools work in chats that have chosen no other.",
  usual: "The usual one",
  changeDirectory: "Choose…",
  save: "Save",
  create: "Make the folder",

  move: "Move to a folder",
  moveMany: (count: number) => `Move ${count} chats to a folder`,
  none: "You have no folder yet: name the first one.",
  out: "No folder",
  makeAndMove: "Make and move",
  newName: "New folder",
}
