/** Reads the JSON text of docs/payload.md. */
import { parse as parseLossless } from "lossless-json";
import { PayloadError } from "./errors.js";
import { canBeMember, tagKey } from "./payload_write.js";
import { Decimal, Double, Duration, LocalDate, LocalDateTime, OffsetDate, TimeOfDay, Tuple, Uuid } from "./values.js";

/** How values are read. */
export interface ReadOptions {
  /**
   * Read `2.0` as a {@link Double}, which is written as `2.0` again, and not as the number 2, which is written as `2`. For programs
   * that hand on values of others; by default a number is a number.
   */
  exactDoubles?: boolean;
}

// Numbers that JSON.parse rounds, or can't tell from others.
const inexact = /\d{16}|-0(?![.\d])/;
const double = /[.eE]/;
const halfSurrogate = /\\u[dD][89a-fA-F]/;

/**
 * Reads JSON text of docs/payload.md.
 *
 * Integers are numbers, or bigints where a number would round them; tagged values are what {@link stringify} writes with the tag;
 * instants are {@link OffsetDate}, which is a Date.
 *
 * @throws PayloadError for what is no such text. It shows nothing of the value.
 */
export function parse(text: string, options: ReadOptions = {}): unknown {
  try {
    const careful = inexact.test(text) || (options.exactDoubles && double.test(text));
    const raw: unknown = careful ? readExactly(text, options) : JSON.parse(text);
    const check = halfSurrogate.test(text);
    return check || text.includes(tagKey) || text.includes("\\u0024") ? revive(raw, check) : raw;
  } catch (error) {
    if (error instanceof PayloadError) {
      throw error;
    }
    throw new PayloadError("a payload is no JSON"); // the parser's own words show the text
  }
}

function readExactly(text: string, options: ReadOptions): unknown {
  JSON.parse(text); // the stricter of the two
  return parseLossless(text, null, {
    parseNumber: (number) => readNumber(number, options.exactDoubles ?? false),
    onDuplicateKey: ({ newValue }) => newValue,
  });
}

function readNumber(text: string, exactDoubles: boolean): unknown {
  const number = Number(text);
  if (!double.test(text)) {
    return Number.isSafeInteger(number) ? number + 0 : BigInt(text);
  }
  if (!Number.isFinite(number)) {
    throw new PayloadError("a number is too large for a double");
  }
  return exactDoubles && Number.isSafeInteger(number) && !Object.is(number, -0) ? new Double(number) : number;
}

/** Gives tagged values their types, from the inside outward, in place. */
function revive(value: unknown, checkTexts: boolean): unknown {
  if (typeof value === "string" && checkTexts) {
    if (!(value as unknown as { isWellFormed(): boolean }).isWellFormed()) {
      throw new PayloadError("a text has half a surrogate pair, which is no Unicode");
    }
  } else if (Array.isArray(value)) {
    value.forEach((item, i) => (value[i] = revive(item, checkTexts)));
  } else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, member] of Object.entries(value)) {
      revive(key, checkTexts);
      setMember(value, key, revive(member, checkTexts));
    }
    if (Object.hasOwn(value, tagKey)) {
      return untag(value as Record<string, unknown>);
    }
  }
  return value;
}

/** Sets a member of any name, `__proto__` too. */
function setMember(of: object, key: string, value: unknown): void {
  Object.defineProperty(of, key, { value, writable: true, enumerable: true, configurable: true });
}

/** Reads a tagged value. Errors show none of it: it may be one that nobody is to see. */
export function untag(members: Record<string, unknown>): unknown {
  const tag = members[tagKey];
  const read = typeof tag === "string" && Object.hasOwn(readers, tag) ? readers[tag] : undefined;
  if (read === undefined) {
    const name = JSON.stringify(String(tag).slice(0, 50));
    throw new PayloadError(`the tag ${name} is not known; a newer Caraway, or another program, may have written it`);
  }
  if (Object.keys(members).length !== 2 || !Object.hasOwn(members, "value")) {
    throw new PayloadError(`an object tagged "${String(tag)}" is to have one more member, "value"`);
  }
  try {
    return read(members.value);
  } catch {
    throw new PayloadError(`the value of an object tagged "${String(tag)}" has another form`);
  }
}

const base64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const readers: Readonly<Record<string, (value: unknown) => unknown>> = {
  bytes: (value) => {
    demand(typeof value === "string" && base64.test(value));
    return new Uint8Array(Buffer.from(value as string, "base64"));
  },
  date: (value) => new LocalDate(value as string),
  datetime: (value) => {
    demand(typeof value === "string");
    const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(value as string);
    return hasZone ? OffsetDate.parseText(value as string) : new LocalDateTime(value as string);
  },
  time: (value) => new TimeOfDay(value as string),
  duration: (value) => Duration.parse(value as string),
  decimal: (value) => new Decimal(value as string),
  uuid: (value) => {
    demand(typeof value === "string");
    return new Uuid(value as string);
  },
  tuple: (value) => Tuple.of(...list(value)),
  set: (value) => {
    demand(list(value).every(canBeMember));
    return new Set(list(value));
  },
  object: (value) => {
    const made = {};
    for (const pair of list(value)) {
      demand(Array.isArray(pair) && pair.length === 2 && typeof pair[0] === "string");
      const [key, member] = pair as [string, unknown];
      setMember(made, key, member);
    }
    return made;
  },
};

function list(value: unknown): unknown[] {
  demand(Array.isArray(value));
  return value as unknown[];
}

function demand(holds: boolean): void {
  if (!holds) {
    throw new PayloadError("it has another form");
  }
}
