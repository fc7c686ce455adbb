import type { JsonObject } from "@orra/core"
import type { ApiRoute, Shape } from "./route.ts"
import { SHAPES, type ShapeName } from "./shapes.ts"

/** The routes as an OpenAPI 3.1 document. */
export function openApi(routes: readonly ApiRoute[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of routes) {
    const path = route.path.replace(":id", "{id}")
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route)
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Orra plan engine",
      version: "0.2.5",
      description:
        "Services connect to /ws?serviceId=&apiKey= with a WebSocket. Without a key the answer is an empty 403.",
    },
    paths,
    components: {
      schemas: SHAPES,
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "A key of the project." },
        host: {
          type: "http",
          scheme: "bearer",
          description: "The engine's admin key; where there is none, whoever connects from its machine may.",
        },
      },
    },
  }
}

function operation({ path, query = {}, who, summary, body, answers }: ApiRoute): JsonObject {
  const inPath = path.includes(":id")
    ? [{ name: "id", in: "path", required: true, schema: { type: "string" } }]
    : []
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name,
    in: "query",
    description,
    allowEmptyValue: true,
    schema: { type: "string" },
  }))
  const responses = Object.entries(answers).map(([status, content]) => [
    status,
    { description: summary, ...(content !== undefined && { content: contentOf(content) }) },
  ])
  return {
    summary,
    ...(who === "anybody" ? {} : { security: [who === "host" ? { host: [] } : { key: [] }] }),
    ...(who !== "anybody" && who !== "host" && { "x-scope": who }),
    parameters: [...inPath, ...inQuery],
    ...(body !== undefined && { requestBody: { content: contentOf(body) } }),
    responses: {
      ...Object.fromEntries(responses),
      default: { description: "What is wrong, and what to do.", content: contentOf("Error") },
    },
  }
}

function contentOf(shape: Shape | { readonly type: string }): JsonObject {
  const isText = typeof shape === "object" && "type" in shape && String(shape.type).includes("/")
  return isText
    ? { [String(shape.type)]: { schema: { type: "string" } } }
    : { "application/json": { schema: schemaOf(shape) } }
}

function schemaOf(shape: Shape): JsonObject {
  if (typeof shape === "string") return { $ref: `#/components/schemas/${shape}` }
  return "list" in shape ? { type: "array", items: schemaOf(shape["list"] as ShapeName) } : shape
}
