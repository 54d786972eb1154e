/** The values of tests/conformance/vectors cross unchanged, and what they refuse is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Decimal, Double, Duration, OffsetDate, parse, PayloadError, stringify, Tuple, Uuid } from "@caraway/client";
import { PayloadSchema } from "@caraway/client/v1";
import { compress, encodings } from "../src/compression.js";
import { argumentsPayload, readPayload } from "../src/payload.js";

interface Entry {
  name: string;
  json: string;
  content_encodings: string[];
  base64: string;
}

interface Vectors {
  values: Entry[];
  refused: Entry[];
  content_type: string;
  plain: string;
  plain_sha256: string;
}

function vectors(name: string): Vectors {
  const folder = new URL("../../../../tests/conformance/vectors/", import.meta.url);
  return JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Vectors;
}

const payloads = vectors("payload.json");

for (const { name, json } of payloads.values) {
  test(`value: ${name}`, () => {
    assert.equal(stringify(parse(json, { exactDoubles: true })), json);
  });
}

for (const { name, json } of payloads.refused) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parse(json), PayloadError);
  });
}

test("every value in one, deep inside", () => {
  const text = `{"deep":[${payloads.values.map(({ json }) => json).join(",")}]}`;
  assert.equal(stringify(parse(text, { exactDoubles: true })), text);
});

test("values have JavaScript's own types where it has them", () => {
  const read = (text: string) => parse(text);
  assert.equal(read("2"), 2);
  assert.equal(read("2.0"), 2);
  assert.equal(read("9007199254740993"), 9007199254740993n);
  assert.deepEqual(read('[9007199254740993,2.5,"1234567890123456"]'), [9007199254740993n, 2.5, "1234567890123456"]);
  assert.equal(Number(parse("2.0", { exactDoubles: true })) + 1, 3);
  const at = read('{"$caraway":"datetime","value":"2026-01-31T12:30:00.123456-03:30"}') as OffsetDate;
  assert.ok(at instanceof Date);
  assert.equal(at.toISOString(), "2026-01-31T16:00:00.123Z");
  assert.equal(at.microseconds, 456);
  const before = '{"$caraway":"datetime","value":"1969-12-31T23:59:59.999999+00:00"}';
  assert.equal(stringify(read(before)), before);
  assert.deepEqual(read('{"a":1,"a":12345678901234567890}'), { a: 12345678901234567890n });
  assert.equal(
    stringify(read('{"__proto__":{"$caraway":"tuple","value":[1]}}')),
    '{"__proto__":{"$caraway":"tuple","value":[1]}}',
  );
});

test("values of JavaScript have a form", () => {
  const cases: [unknown, string][] = [
    [undefined, "null"],
    [2 ** 53, "9007199254740992.0"],
    [-0, "-0.0"],
    [1e300, "1e+300"],
    [new Double(2), "2.0"],
    [2n ** 64n, "18446744073709551616"],
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [new Map([["k", 1]]), '{"k":1}'],
    [new Date(0), '{"$caraway":"datetime","value":"1970-01-01T00:00:00+00:00"}'],
    [Duration.ofMilliseconds(-1500), '{"$caraway":"duration","value":"-1.500000s"}'],
    [Tuple.of(1), '{"$caraway":"tuple","value":[1]}'],
    [Tuple.of(3).map((n) => n), "[3]"],
    [new Set([2, 1]), '{"$caraway":"set","value":[1,2]}'],
    [new Decimal("1.50"), '{"$caraway":"decimal","value":"1.50"}'],
    [{ toJSON: () => [1] }, "[1]"],
  ];
  for (const [value, text] of cases) {
    assert.equal(stringify(value), text);
  }
});

test("what has no form is refused", () => {
  let deep: unknown = 1;
  for (let i = 0; i < 101; i++) {
    deep = [deep];
  }
  class Own {}
  const refused = [NaN, Infinity, () => 1, Symbol("s"), "\ud800", deep, new Own(), new Set([[]]), new Map([[1, 1]])];
  for (const value of refused) {
    assert.throws(() => stringify(value), PayloadError);
  }
  assert.throws(() => stringify(10n ** 4300n), PayloadError);
  assert.throws(() => parse('"\\ud800"'), PayloadError);
  assert.throws(() => new Uuid("42"), PayloadError);
  assert.throws(() => new Decimal("NaN"), PayloadError);
  assert.doesNotThrow(() => parse("[".repeat(400) + "]".repeat(400)));
});

const encoded = vectors("encodings.json");

function payloadOf({ content_encodings, base64 }: Entry) {
  return create(PayloadSchema, {
    body: { case: "data", value: Buffer.from(base64, "base64") },
    contentType: encoded.content_type,
    contentEncodings: content_encodings,
    plainSha256: Buffer.from(encoded.plain_sha256, "hex"),
  });
}

for (const entry of encoded.values) {
  test(`encoding: ${entry.name}`, () => {
    const isKnown = entry.content_encodings.every((encoding) => encodings.includes(encoding));
    if (isKnown) {
      assert.deepEqual(readPayload(payloadOf(entry), {}), JSON.parse(encoded.plain));
    } else {
      assert.throws(() => readPayload(payloadOf(entry), {}), /have the other side use one of them/);
    }
  });
}

for (const entry of encoded.refused) {
  test(`refused encoding: ${entry.name}`, () => {
    assert.throws(() => readPayload(payloadOf(entry), {}), PayloadError);
  });
}

test("arguments are compressed where that makes them smaller", () => {
  for (const encoding of ["gzip", "zlib", "brotli"]) {
    const made = create(PayloadSchema, argumentsPayload(["x".repeat(1000)], {}, encoding));
    assert.deepEqual(made.contentEncodings, [encoding]);
    assert.deepEqual(readPayload(made, {}), { args: ["x".repeat(1000)], kwargs: {} });
    assert.equal(argumentsPayload([1], {}, encoding).body?.case, "json");
  }
  assert.throws(() => compress("rot13", Buffer.from("x")), PayloadError);
});
