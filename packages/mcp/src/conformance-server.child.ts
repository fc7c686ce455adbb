// The server under test of the protocol's conformance suite.

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Namespace, Runtime } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { prompts, resources, tools } from "./conformance-fixture.ts"
import { mcpHttp } from "./server.ts"

const runtime = new Runtime({
  provider: scriptedProvider([], { otherwise: () => "Hello." }),
  tools: tools(() => toolsChanged()),
})
const namespace = Namespace.of("tested")
await runtime.run(namespace.child("chat"), "Hi.")
const { node, toolsChanged } = mcpHttp({
  runtime,
  name: "tested",
  tools: "all",
  prompts,
  resources,
  authenticate: () => ({ namespace }),
})
const server = createServer((request, response) => void node(request, response)).listen(
  0,
  "127.0.0.1",
  () => {
    console.log((server.address() as AddressInfo).port)
  },
)
