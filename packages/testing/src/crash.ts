export { crashMatrix, type Durable, type MatrixOptions, type MatrixRow } from "./crash/matrix.ts"
export { matrixTable } from "./crash/table.ts"
