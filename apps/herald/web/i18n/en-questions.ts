/** What is said about questions that the assistant asks. */
export const words = {
  several: "Choose any that apply.",
  yourAnswer: "Your answer",
  other: "Something else",
  send: "Answer",
  skip: "Rather not say",
  skipped: "You did not answer.",
  unanswered: "Nobody answered.",
  youSaid: "Your answer:",
}
