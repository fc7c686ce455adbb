import { type Tool, tool } from "@orra/core"

const MAX_STEPS = 30
const MAX_TEXT = 200

interface Step {
  readonly text: string
  readonly status: "pending" | "running" | "done"
}

/** The steps of longer work, which the page shows as one card. The list is the call's arguments: it lasts with the chat. */
export const todo: Tool = tool<{ readonly steps: readonly Step[] }>({
  name: "todo",
  description:
    "Shows the person the steps of your work, and how far it is. For work of three steps or more: write the list before you begin, and again, whole, whenever a step begins or is done. It takes the place of the list before it.",
  input: {
    type: "object",
    properties: {
      steps: {
        type: "array",
        description: "All steps, in the order you do them. One at a time is running.",
        minItems: 1,
        maxItems: MAX_STEPS,
        items: {
          type: "object",
          properties: {
            text: { type: "string", description: "A few words.", minLength: 1, maxLength: MAX_TEXT },
            status: { type: "string", enum: ["pending", "running", "done"] },
          },
          required: ["text", "status"],
          additionalProperties: false,
        },
      },
    },
    required: ["steps"],
    additionalProperties: false,
  },
  risk: "read",
  execute({ steps }) {
    const done = steps.filter(({ status }) => status === "done").length
    return `${done} of ${steps.length} done.`
  },
})
