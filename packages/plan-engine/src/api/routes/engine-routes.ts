import { openApi } from "../openapi.ts"
import type { ApiParts, ApiRoute } from "../route.ts"

/** What Prometheus is told that the text is. */
const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

/** The engine itself. `all` is every route there is. */
export const engineRoutes = (
  { unready, metricsText }: ApiParts,
  all: () => readonly ApiRoute[],
): readonly ApiRoute[] => [
  {
    method: "GET",
    path: "/health",
    who: "anybody",
    summary: "Whether the process answers.",
    answers: { 200: "Nothing" },
    answer: async () => ({ status: 200, body: {} }),
  },
  {
    method: "GET",
    path: "/health/ready",
    who: "anybody",
    summary:
      "Whether the engine can be used: it has gone on with what it found, and its store answers. 503 if not.",
    answers: { 200: "Readiness" },
    answer: async () => {
      const reason = await unready()
      return reason === undefined
        ? { status: 200, body: { status: "ready" } }
        : { status: 503, body: { status: "unavailable", reason } }
    },
  },
  {
    method: "GET",
    path: "/metrics",
    who: "host",
    summary: "The numbers of this process for Prometheus.",
    answers: { 200: { type: PROMETHEUS } },
    answer: async () => ({ status: 200, text: metricsText(), type: PROMETHEUS }),
  },
  {
    method: "GET",
    path: "/openapi.json",
    who: "anybody",
    summary: "This document.",
    answers: { 200: {} },
    answer: async () => ({ status: 200, body: openApi(all()) }),
  },
]
