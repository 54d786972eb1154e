/** Writes values as the exact JSON text of docs/payload.md. */
import { PayloadError } from "./errors.js";
import { Decimal, Double, Duration, formatDate, LocalDate, LocalDateTime, TimeOfDay, Tuple, Uuid } from "./values.js";

const maxDepth = 100; // containers in one another
const maxDigits = 4300; // of an integer
export const tagKey = "$caraway";

/**
 * Writes a value as exact JSON text: what a task gets or returns.
 *
 * Numbers without a fraction, and bigints, are integers; other numbers are doubles, as is a {@link Double}. `undefined` is null;
 * a member that is undefined is left out. `Date`, `Uint8Array`, `Set` and the types of this library are tagged, so that they
 * arrive as what they are in every language. A `Map` whose keys are texts is an object. An object with `toJSON` is written as
 * what that gives.
 *
 * @throws PayloadError for what has no form: NaN, functions, symbols, instances of classes, text with half a surrogate pair, more
 * than 100 containers in one another.
 */
export function stringify(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "boolean":
      return value ? "true" : "false";
    case "string":
      return writeText(value);
    case "number":
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : writeDouble(value);
    case "bigint":
      return writeInteger(value);
    case "object":
      return value === null ? "null" : writeObject(value, depth);
    default:
      throw new PayloadError(`a ${typeof value} has no form in a payload`);
  }
}

function writeText(text: string): string {
  if (!(text as unknown as { isWellFormed(): boolean }).isWellFormed()) {
    throw new PayloadError("a text has half a surrogate pair; send bytes instead");
  }
  return JSON.stringify(text);
}

function writeInteger(value: bigint): string {
  const text = String(value);
  if (text.length > maxDigits + (value < 0n ? 1 : 0)) {
    throw new PayloadError(`an integer has more than ${maxDigits} digits`);
  }
  return text;
}

/** The shortest form that reads back as the same double, never that of an integer. */
function writeDouble(value: number): string {
  if (!Number.isFinite(value)) {
    throw new PayloadError(`${value} has no form in JSON`);
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

const texts = new Map<unknown, string>([
  [LocalDate, "date"],
  [LocalDateTime, "datetime"],
  [TimeOfDay, "time"],
  [Duration, "duration"],
  [Decimal, "decimal"],
  [Uuid, "uuid"],
]);

function tagged(tag: string, text: string): string {
  return `{"$caraway":"${tag}","value":"${text}"}`;
}

function writeObject(value: object, depth: number): string {
  const tag = texts.get(value.constructor);
  if (tag !== undefined) {
    return tagged(tag, String(value));
  }
  if (value instanceof Date) {
    return tagged("datetime", formatDate(value));
  }
  if (value instanceof Uint8Array) {
    return tagged("bytes", Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"));
  }
  if (value instanceof Double) {
    return writeDouble(value.value);
  }
  if (depth >= maxDepth) {
    throw new PayloadError(`more than ${maxDepth} containers stand in one another`);
  }
  if (value instanceof Tuple) {
    return `{"$caraway":"tuple","value":${writeList(value, depth)}}`;
  }
  if (Array.isArray(value)) {
    return writeList(value, depth);
  }
  if (value instanceof Set) {
    return writeSet(value, depth);
  }
  return writeMembers(value, depth);
}

function writeList(items: readonly unknown[], depth: number): string {
  return `[${Array.from(items, (item) => write(item, depth + 1)).join(",")}]`;
}

/** Sorted by their text, so that the same call twice is the same text. */
function writeSet(set: ReadonlySet<unknown>, depth: number): string {
  const members = Array.from(set, (member) => {
    if (!canBeMember(member)) {
      throw new PayloadError("a set's members are values that can be compared, not lists, sets or objects");
    }
    return write(member, depth + 1);
  });
  return `{"$caraway":"set","value":[${members.sort(byCodePoint).join(",")}]}`;
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Tells whether a set may hold the value in every language. */
export function canBeMember(value: unknown): boolean {
  if (value instanceof Tuple) {
    return value.every(canBeMember);
  }
  if (typeof value !== "object" || value === null) {
    return true;
  }
  return texts.has(value.constructor) || value instanceof Date || value instanceof Uint8Array || value instanceof Double;
}

function writeMembers(value: object, depth: number): string {
  let entries: [string, unknown][];
  if (value instanceof Map) {
    if ([...value.keys()].some((key) => typeof key !== "string")) {
      throw new PayloadError("the keys of a Map are to be texts");
    }
    entries = [...value] as [string, unknown][];
  } else if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
    return write((value as { toJSON(): unknown }).toJSON(), depth + 1);
  } else {
    const kind = Object.getPrototypeOf(value) as object | null;
    if (kind !== null && Object.getPrototypeOf(kind) !== null) {
      throw new PayloadError(`an instance of ${value.constructor.name} has no form in a payload; give it a method toJSON`);
    }
    entries = Object.entries(value);
  }
  const members = entries.filter(([, member]) => member !== undefined);
  if (members.some(([key]) => key === tagKey)) {
    const pairs = members.map(([key, member]) => `[${writeText(key)},${write(member, depth + 1)}]`);
    return `{"$caraway":"object","value":[${pairs.join(",")}]}`;
  }
  return `{${members.map(([key, member]) => `${writeText(key)}:${write(member, depth + 1)}`).join(",")}}`;
}
