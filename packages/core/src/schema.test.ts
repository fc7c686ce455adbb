import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type JsonObject, parseJson } from "./json.ts"
import { inputSchemaOf, schemaProblems, validateInput } from "./schema.ts"

const problems = (schema: JsonObject, value: unknown) => schemaProblems(schema, value)

describe("keywords", () => {
  const cases: readonly (readonly [JsonObject, readonly unknown[], readonly unknown[]])[] = [
    [{ type: "string" }, ["", "x"], [1, null, [], {}, true, undefined]],
    [{ type: "integer" }, [0, 1.0, -5], [1.5, "1", Number.NaN]],
    [{ type: "number" }, [0, 1.5], [Number.NaN, Number.POSITIVE_INFINITY, "1"]],
    [{ type: ["string", "null"] }, ["x", null], [1, undefined]],
    [{ type: "array" }, [[]], [{}, "x"]],
    [{ enum: ["a", 1, null, { x: 1, y: 2 }] }, ["a", 1, null, { y: 2, x: 1 }], ["b", "1", { x: 1 }]],
    [{ const: { a: [1] } }, [{ a: [1] }], [{ a: [2] }, 1]],
    [{ minLength: 2, maxLength: 3 }, ["ab", "😀😀", "😀😀😀"], ["a", "😀", "abcd"]],
    [{ pattern: "^a+$" }, ["aa"], ["b", ""]],
    [{ pattern: "^[\\w-.]+$" }, ["a-b.c"], ["a b"]],
    [{ minimum: 1, maximum: 3 }, [1, 2, 3], [0.9, 3.1]],
    [{ exclusiveMinimum: 1, exclusiveMaximum: 3 }, [2], [1, 3]],
    [{ multipleOf: 0.01 }, [19.99, 0.3, 0, -1.1], [0.005, 19.999]],
    [{ multipleOf: 3 }, [9, -3], [10]],
    [{ minItems: 1, maxItems: 2 }, [[1], [1, 2]], [[], [1, 2, 3]]],
    [
      { uniqueItems: true },
      [
        [1, "1"],
        [{ a: 1 }, { b: 1 }],
      ],
      [
        [1, 1],
        [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      ],
    ],
    [{ items: { type: "number" } }, [[], [1, 2]], [[1, "2"]]],
    [{ prefixItems: [{ type: "string" }], items: false }, [["a"], []], [[1], ["a", "b"]]],
    [{ required: ["a"] }, [{ a: undefined }, { a: 1 }], [{}, { b: 1 }]],
    [{ required: "a" }, [{ a: 1 }], [{}]],
    [{ properties: { a: { type: "number" } } }, [{}, { a: 1, b: "x" }], [{ a: "1" }]],
    [{ properties: { a: {} }, additionalProperties: false }, [{ a: 1 }, {}], [{ a: 1, b: 2 }]],
    [{ additionalProperties: { type: "number" } }, [{ a: 1 }], [{ a: "1" }]],
    [
      { patternProperties: { "^x-": { type: "number" } }, additionalProperties: false },
      [{ "x-a": 1 }],
      [{ a: 1 }, { "x-a": "1" }],
    ],
    [{ minProperties: 1, maxProperties: 1 }, [{ a: 1 }], [{}, { a: 1, b: 2 }]],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, ["x", 1], [null]],
    [{ oneOf: [{ type: "number" }, { type: "integer" }] }, [1.5], [1, "x"]],
    [{ allOf: [{ minimum: 1 }, { maximum: 2 }] }, [1, 2], [0, 3]],
    [{ not: { type: "string" } }, [1], ["x"]],
    [{ $ref: "#/$defs/n", $defs: { n: { type: "number" } } }, [1], ["x"]],
    [{ $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { type: "number" } } }, [1], ["x"]],
    [{ unknownKeyword: 1, format: "email" }, ["anything", 1], []],
  ]
  for (const [schema, fits, fails] of cases) {
    test(JSON.stringify(schema), () => {
      for (const value of fits) expect(problems(schema, value), JSON.stringify(value)).toEqual([])
      for (const value of fails) expect(problems(schema, value), JSON.stringify(value)).not.toEqual([])
    })
  }
})

describe("messages", () => {
  test("name each place and what it takes", () => {
    const schema: JsonObject = {
      type: "object",
      properties: {
        city: { type: "string" },
        days: {
          type: "array",
          items: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
        },
      },
      required: ["city"],
      additionalProperties: false,
    }
    expect(problems(schema, { days: [{ n: 1 }, { n: "2" }, {}], town: 1 })).toEqual([
      "city is missing.",
      "days[1].n must be integer, not string.",
      "days[2].n is missing.",
      "town is not a known parameter.",
    ])
    expect(problems(schema, "x")).toEqual(["The input must be object, not string."])
  })

  test("are ten at most", () => {
    const many = Array.from({ length: 1_000 }, () => "x")
    expect(problems({ items: { type: "number" } }, many)).toHaveLength(10)
  })
})

describe("schemas that refer to themselves", () => {
  const tree: JsonObject = {
    type: "object",
    properties: { children: { type: "array", items: { $ref: "#" } }, name: { type: "string" } },
    required: ["name"],
  }

  test("are followed as deep as the value goes", () => {
    expect(problems(tree, { name: "a", children: [{ name: "b", children: [] }] })).toEqual([])
    expect(problems(tree, { name: "a", children: [{ children: [] }] })).toEqual([
      "children[0].name is missing.",
    ])
  })

  test("and values nested without end do not fit, rather than go unchecked", () => {
    let value: unknown = { name: 1 }
    for (let depth = 0; depth < 10_000; depth++) value = { name: "x", children: [value] }
    expect(problems(tree, value)[0]).toContain("nested too deeply")
  })

  test("in a circle, or two ways at each level, end", () => {
    expect(problems({ $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/a" } } }, 1)).not.toEqual([])
    const twice: JsonObject = { anyOf: [{ $ref: "#" }, { $ref: "#" }] }
    expect(problems(twice, 1)).not.toEqual([])
    const both: JsonObject = { allOf: [{ $ref: "#" }, { $ref: "#" }], oneOf: [{ $ref: "#" }, { $ref: "#" }] }
    expect(problems(both, {})).not.toEqual([])
  })
})

describe("hostile input", () => {
  test("named like a prototype is data, and is not taken for a property that is declared", () => {
    const schema: JsonObject = {
      type: "object",
      properties: {},
      required: ["constructor"],
      additionalProperties: false,
    }
    expect(problems(schema, {})).toEqual(["constructor is missing."])
    const sneaky = JSON.parse('{"__proto__": {"admin": true}}') as unknown
    expect(problems({ type: "object", additionalProperties: false }, sneaky)).toEqual([
      "__proto__ is not a known parameter.",
    ])
    expect(problems({ $ref: "#/constructor" }, 1)).toEqual([])
    expect(() => parseJson('{"a": {"__proto__": 1}}')).toThrow(SyntaxError)
  })

  test("property: whatever schema and value come, checking ends and does not throw", () => {
    const keys = fc.constantFrom(
      "type",
      "properties",
      "items",
      "anyOf",
      "not",
      "$ref",
      "pattern",
      "enum",
      "required",
      "x",
    )
    const { schema } = fc.letrec((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue(),
        fc.constantFrom("#", "#/x", "[", "object"),
        fc.dictionary(keys, tie("schema")),
        fc.array(tie("schema"), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(schema, fc.jsonValue(), (made, value) => {
        if (typeof made !== "object" || made === null || Array.isArray(made)) return
        expect(Array.isArray(problems(made as JsonObject, value))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe("a tool's schema", () => {
  test("that could never be met is refused when the tool is declared, with the reason", () => {
    const refused = (schema: JsonObject) => () => inputSchemaOf("tool", schema)
    expect(refused({ type: "string" })).toThrow('The input of "tool" must be an object schema.')
    expect(refused({})).toThrow("must be an object schema")
    expect(refused({ type: "object", properties: { a: { pattern: "(" } } })).toThrow(
      "no regular expression: (",
    )
    expect(refused({ type: "object", properties: { a: { $ref: "#/$defs/b" } } })).toThrow(
      "refers to #/$defs/b",
    )
    expect(refused({ type: "object", properties: { a: { $ref: "https://example.com/s" } } })).toThrow(
      "refers to",
    )
  })

  test("of zod 4 gives its JSON Schema, checks, and gives back what it parsed", async () => {
    const schema = z.object({ city: z.string().min(2), days: z.coerce.number().int().default(3) })
    expect(inputSchemaOf("weather", schema)).toMatchObject({
      type: "object",
      properties: { city: { type: "string", minLength: 2 } },
      required: ["city"],
    })
    expect(await validateInput(schema, { city: "Oslo", days: "5" })).toEqual({ city: "Oslo", days: 5 })
    expect(await validateInput(schema, { city: "Oslo" })).toEqual({ city: "Oslo", days: 3 })
    await expect(validateInput(schema, { city: "O", days: "x" })).rejects.toMatchObject({
      code: "invalid_input",
      message: expect.stringMatching(/^city: .+\. days: .+\.$/),
    })
    const later = z.object({ a: z.string().refine(async (a) => a === "x") })
    expect(await validateInput(later, { a: "x" })).toEqual({ a: "x" })
    await expect(validateInput(later, { a: "y" })).rejects.toMatchObject({ code: "invalid_input" })
  })

  test("of a library that has no JSON Schema is refused with what to do", () => {
    const old = {
      "~standard": { version: 1, vendor: "old", validate: (value: unknown) => ({ value }) },
    } as const
    expect(() => inputSchemaOf("tool", old)).toThrow("pass JSON Schema instead")
    expect(() => inputSchemaOf("tool", z.string())).toThrow("must be an object schema")
  })
})
