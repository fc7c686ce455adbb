import { initService, type PlanService, type ServiceOptions } from "@orra/plan-sdk"

const text = { type: "string" } as const

/** The service: it says again what it is told, and how it goes on. It needs to know nothing of engines or models. */
export async function startEcho(options: Omit<ServiceOptions, "name">): Promise<PlanService> {
  const echo = initService({ ...options, name: "echo" })
  await echo.register({
    description: "Says a message again, as it is.",
    schema: {
      input: { type: "object", properties: { message: text }, required: ["message"] },
      output: { type: "object", properties: { echo: text }, required: ["echo"] },
    },
  })
  echo.start((task) => {
    task.pushUpdate({ progress: 50, message: "taking a breath" })
    return { echo: task.input["message"] }
  })
  return echo
}
