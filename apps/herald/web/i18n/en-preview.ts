/** What is said about pages and diagrams that are shown as what they are. */
export const words = {
  page: "Preview of the page. It reaches nothing outside of it.",
  diagram: "Diagram",
  drawing: "Drawing…",
  wrong: (why: string) => `This cannot be drawn: ${why}`,
  fullScreen: "Full screen",
}
