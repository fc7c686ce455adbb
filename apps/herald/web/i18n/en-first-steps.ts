/** What the list of first steps says. */
export const words = {
  title: "First steps",
  done: "done",
  model: "Connect a model",
  ask: "Ask it something, below or with an example",
  tools: "Say what it may do: files, commands, the web",
  discord: "Talk with it in Discord too, if you like",
  dismiss: "Do not show this again",
}
