// Promises: `npm start -- <flags>` runs Herald, as start-app.mjs says.

import { startApp } from "./start-app.mjs"

await startApp({ name: "Herald", folder: "apps/herald", packageName: "@orra/herald", stamp: "build" })
