// Promises: `npm run plan-engine -- <flags>` runs the plan engine with its page, as start-app.mjs says.

import { startApp } from "./start-app.mjs"

await startApp({
  name: "the plan engine",
  folder: "apps/plan-engine",
  packageName: "@orra/plan-server",
  stamp: "build-plan-engine",
  more: ["apps/herald/web/styles"],
})
