export { type Planted, plantCanaries } from "./erasure/plant.ts"
export { type Findings, findInFolder, findInPostgres, findInSqlite, type Query } from "./erasure/scan.ts"
