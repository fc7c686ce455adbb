/** What is said about the steps of the assistant's work. */
export const words = {
  title: "Steps",
  progress: (done: string, all: string) => `${done} of ${all} done`,
  allDone: (all: string) => `All ${all} steps done`,
  oneDone: "The step is done",
  status: { pending: "To do", running: "In progress", stopped: "Not finished", done: "Done" },
}
