/** What the list of chats says of folders and of chats that wait. */
export const words = {
  asks: "waits for your answer",
  newFolder: "New folder",
  folders: "Folders",
  nameLabel: "Name of the folder",
  newChat: "New chat here",
  change: "Change the folder…",
  delete: "Delete the folder",
  deleted: (name: string) => `The folder “${name}” was deleted. Its chats are still there.`,
  empty: "Drag chats here, or move them by their menus.",
  move: "Move to a folder…",
  moved: (count: number, name: string) =>
    count === 1 ? `The chat was moved to “${name}”.` : `${count} chats were moved to “${name}”.`,
  movedOut: (count: number) =>
    count === 1 ? "The chat is in no folder now." : `${count} chats are in no folder now.`,
  out: "Let go here: in no folder",
  begins: (name: string) => `This chat will be in the folder “${name}”.`,
  told: "Whoever answers here is told:",
  notFiled: (reason: string) => `The chat could not be put into its folder. ${reason}`,
}
