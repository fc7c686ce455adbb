/** What the choice of a chat's folder says. */
export const words = {
  button: (folder: string | undefined) =>
    folder === undefined ? "Choose the folder this chat works in" : `This chat works in ${folder}`,
  title: "The folder of this chat",
  lead: "Its tools read, write and run in this folder, and nowhere else. Other chats keep theirs.",
  roots: "Folders to choose from",
  below: (folder: string) => `Folders in ${folder}`,
  own: "Your own folder",
  none: "There are no folders in it.",
  up: "Back",
  choose: "Work here",
  chosen: (folder: string) => `This chat works in ${folder} now.`,
  usual: "The usual folder",
  usualChosen: "This chat works in the usual folder now.",
}
