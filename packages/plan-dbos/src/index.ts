export { type DbosOptions, dbos } from "./dbos.ts"
