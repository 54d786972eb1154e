/** Payloads of the contract: arguments, results, progress. */
import { createHash } from "node:crypto";
import { create, toJson, type MessageInitShape } from "@bufbuild/protobuf";
import { ValueSchema, type Value } from "@bufbuild/protobuf/wkt";
import { compress, decompress } from "./compression.js";
import { PayloadError } from "./errors.js";
import { PayloadSchema, type Payload, type TaskSpec } from "./gen/caraway/v1/task_pb.js";
import { parse, untag, type ReadOptions } from "./payload_read.js";
import { stringify, tagKey } from "./payload_write.js";

/** Arguments as a handler gets them: those by position, and those by name. */
export interface Arguments {
  args: unknown[];
  kwargs: Record<string, unknown>;
}

/** Writes a value as a payload. */
export function jsonPayload(value: unknown): Payload {
  return create(PayloadSchema, { body: { case: "json", value: stringify(value) } });
}

/** Writes the arguments of a call, compressed where that is asked for and makes them smaller. */
export function argumentsPayload(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
  compression?: string,
): MessageInitShape<typeof PayloadSchema> {
  const text = `{"args":${stringify([...args])},"kwargs":${stringify({ ...kwargs })}}`;
  const plain = { body: { case: "json" as const, value: text } };
  if (!compression) {
    return plain;
  }
  const bytes = Buffer.from(text);
  const data = compress(compression, bytes);
  if (data.length >= bytes.length) {
    return plain;
  }
  return {
    body: { case: "data", value: new Uint8Array(data) },
    contentType: "application/json",
    contentEncodings: [compression],
    plainSha256: new Uint8Array(createHash("sha256").update(bytes).digest()),
  };
}

/** Reads the value of a payload; one without a body is null. */
export function readPayload(payload: Payload | undefined, options: ReadOptions): unknown {
  switch (payload?.body.case) {
    case "json":
      return parse(payload.body.value, options);
    case "data":
      return readData(payload, payload.body.value, options);
    default:
      return null;
  }
}

function readData(payload: Payload, data: Uint8Array, options: ReadOptions): unknown {
  for (const encoding of payload.contentEncodings.toReversed()) {
    data = decompress(encoding, data);
  }
  if (payload.plainSha256.length > 0 && !createHash("sha256").update(data).digest().equals(payload.plainSha256)) {
    throw new PayloadError("a payload is not the one that plain_sha256 tells of");
  }
  switch (payload.contentType) {
    case "application/json":
      return parse(decodeText(data, payload.contentType), options);
    case "text/plain":
      return decodeText(data, payload.contentType);
    case "application/data":
    case "application/octet-stream":
      return new Uint8Array(data);
    default: {
      const name = JSON.stringify(payload.contentType.slice(0, 100));
      throw new PayloadError(`this client reads JSON, text and bytes, not ${name}; have the other side write JSON`);
    }
  }
}

function decodeText(data: Uint8Array, contentType: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch (error) {
    throw new PayloadError(`a payload of ${contentType} is no UTF-8`, { cause: error });
  }
}

/** Reads the arguments of a task, written by a client library or by hand. */
export function readArguments(spec: TaskSpec, options: ReadOptions): Arguments {
  if (!spec.payload) {
    return { args: (spec.args?.values ?? []).map(byHand), kwargs: membersByHand(spec.kwargs ?? {}) };
  }
  const value = readPayload(spec.payload, options);
  if (value === null) {
    return { args: [], kwargs: {} };
  }
  const { args = [], kwargs = {}, ...others } = value as { args?: unknown; kwargs?: unknown };
  const isObject = typeof kwargs === "object" && kwargs !== null && Object.getPrototypeOf(kwargs) === Object.prototype;
  if (!Array.isArray(args) || !isObject || typeof value !== "object" || Object.keys(others).length > 0) {
    throw new PayloadError('arguments are to be an object of "args", a list, and "kwargs", an object');
  }
  return { args, kwargs: kwargs as Record<string, unknown> };
}

function membersByHand(given: object): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    members[key] = byHandJson(value);
  }
  return members;
}

/** Reads an argument written by hand: all its numbers are doubles, and those without a fraction mean integers. */
function byHand(value: Value): unknown {
  return byHandJson(toJson(ValueSchema, value));
}

/** The same for a Struct, which the stubs hold as plain JSON. */
function byHandJson(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(byHandJson);
  }
  if (typeof value === "object" && value !== null) {
    const members = membersByHand(value);
    return Object.hasOwn(members, tagKey) ? untag(members) : members;
  }
  return value;
}
