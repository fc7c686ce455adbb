import { isObject, type JsonObject } from "@orra/core"
import type { ApiAnswer, ApiParts, ApiRoute } from "./route.ts"

/** Writes down who asked for what, and how it was answered. */
export async function written(
  { audit, now }: Pick<ApiParts, "audit" | "now">,
  {
    route,
    by,
    project,
    id,
  }: { readonly route: ApiRoute; readonly by: string; readonly project: string; readonly id: string },
  answered: ApiAnswer,
  code?: string,
): Promise<void> {
  const body = "body" in answered && isObject(answered.body) ? (answered.body as JsonObject) : {}
  const subject = [id, body["id"], body["name"], body["url"]].find(
    (each) => typeof each === "string" && each !== "",
  )
  await audit.append(project, {
    at: await now(),
    by,
    action: `${route.method} ${route.path}`,
    ...(subject !== undefined && { subject: String(subject) }),
    status: answered.status,
    ...(code !== undefined && { code }),
  })
}
