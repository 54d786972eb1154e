/** Values that JavaScript has no type for, each as docs/payload.md has it. They are read and written unchanged. */
import { PayloadError } from "./errors.js";

const clock = String.raw`([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?`;
const zone = String.raw`(Z|[+-]([01]\d|2[0-3]):[0-5]\d)`;
const day = String.raw`\d{4}-\d{2}-\d{2}`;
const forms = {
  date: new RegExp(`^${day}$`),
  local: new RegExp(`^${day}T${clock}$`),
  zoned: new RegExp(`^${day}T${clock}${zone}$`),
  time: new RegExp(`^${clock}${zone}?$`),
  duration: /^-?\d+(\.\d{1,9})?s$/,
  decimal: /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

function check(form: RegExp, text: string, what: string): string {
  if (typeof text !== "string" || !form.test(text)) {
    throw new PayloadError(`it is no ${what}`);
  }
  return text;
}

function checkDay(text: string): void {
  const [year, month, date] = text.slice(0, 10).split("-").map(Number);
  const made = new Date(Date.UTC(2000, month - 1, date));
  made.setUTCFullYear(year, month - 1, date);
  if (year < 1 || made.getUTCMonth() !== month - 1 || made.getUTCDate() !== date) {
    throw new PayloadError("it is no day of the calendar");
  }
}

/** What has a text of its own form. */
abstract class Text {
  protected constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** A calendar day: `2026-01-31`. */
export class LocalDate extends Text {
  constructor(text: string) {
    super(check(forms.date, text, "date"));
    checkDay(text);
  }
}

/** A date and a time of no zone: `2026-01-31T12:30:00`. What is finer than a microsecond is cut. */
export class LocalDateTime extends Text {
  constructor(text: string) {
    super(cut(check(forms.local, text, "date and time without a zone")));
    checkDay(text);
  }
}

/** A time, with or without an offset from UTC: `23:59:59.999999`, `08:00:00+02:00`. */
export class TimeOfDay extends Text {
  constructor(text: string) {
    super(cut(check(forms.time, text, "time of day")));
  }
}

/** A finite decimal number, whose digits are kept: `1.50`, `1E+3`. Libraries of decimals take its text. */
export class Decimal extends Text {
  constructor(text: string) {
    super(check(forms.decimal, text, "decimal number"));
  }
}

/** A UUID, in lower case. */
export class Uuid extends Text {
  constructor(text: string) {
    super(check(forms.uuid, String(text).toLowerCase(), "UUID"));
  }
}

/** A span of time, in whole microseconds. */
export class Duration {
  constructor(readonly microseconds: bigint) {}

  /** That many milliseconds; what is finer than a microsecond is cut. */
  static ofMilliseconds(milliseconds: number): Duration {
    return new Duration(BigInt(Math.trunc(milliseconds * 1000)));
  }

  /** Reads `-1.500000s`. */
  static parse(text: string): Duration {
    check(forms.duration, text, "duration");
    const [, sign, seconds, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?s$/.exec(text)!;
    const size = BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
    return new Duration(sign ? -size : size);
  }

  /** In milliseconds, as JavaScript's clocks count; beyond 285 years it is rounded. */
  get milliseconds(): number {
    return Number(this.microseconds) / 1000;
  }

  toString(): string {
    const size = this.microseconds < 0n ? -this.microseconds : this.microseconds;
    const rest = size % 1_000_000n;
    const fraction = rest ? `.${String(rest).padStart(6, "0")}` : "";
    return `${this.microseconds < 0n ? "-" : ""}${size / 1_000_000n}${fraction}s`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** An instant with what a `Date` does not hold: microseconds, and the offset from UTC that it was told in. */
export class OffsetDate extends Date {
  /**
   * @param time milliseconds since 1970, whole.
   * @param microseconds beyond those, 0 to 999.
   * @param offset from UTC, in minutes.
   */
  constructor(
    time: number,
    readonly microseconds: number = 0,
    readonly offset: number = 0,
  ) {
    super(time);
  }

  /** Reads `2026-01-31T12:30:00.000001+00:00`. What is finer than a microsecond is cut. */
  static parseText(text: string): OffsetDate {
    check(forms.zoned, text, "date and time");
    checkDay(text);
    const [, fraction = "", zoned] = /:\d\d(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text)!;
    const micros = Number(fraction.padEnd(6, "0").slice(0, 6));
    const sign = zoned.startsWith("-") ? -1 : 1;
    const offset = zoned === "Z" ? 0 : sign * (Number(zoned.slice(1, 3)) * 60 + Number(zoned.slice(4)));
    const time = Date.parse(`${text.slice(0, 19)}Z`) - offset * 60_000 + Math.floor(micros / 1000);
    return new OffsetDate(time, micros % 1000, offset);
  }
}

/** A list that is a tuple where it comes from or goes to. */
export class Tuple<T = unknown> extends Array<T> {
  // What map, filter and the like make of one is a list.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static override of<T>(...members: T[]): Tuple<T> {
    const made = new Tuple<T>();
    made.push(...members);
    return made;
  }
}

/** A double without a fraction, `2.0`: written as such, where the number 2 is an integer. It calculates as its number. */
export class Double {
  constructor(readonly value: number) {}

  valueOf(): number {
    return this.value;
  }

  toString(): string {
    return String(this.value);
  }

  toJSON(): number {
    return this.value;
  }
}

/** Cuts what is finer than a microsecond. */
function cut(text: string): string {
  return text.replace(/(\.\d{6})\d+/, "$1");
}

/** Writes an instant as docs/payload.md has it. */
export function formatDate(date: Date): string {
  if (Number.isNaN(date.getTime())) {
    throw new PayloadError("a Date is invalid");
  }
  const { microseconds, offset } = date instanceof OffsetDate ? date : { microseconds: 0, offset: 0 };
  const local = new Date(date.getTime() + offset * 60_000);
  if (local.getUTCFullYear() < 1 || local.getUTCFullYear() > 9999) {
    throw new PayloadError("the year of a Date lies outside 1 to 9999");
  }
  const micros = local.getUTCMilliseconds() * 1000 + microseconds;
  const minutes = Math.abs(offset);
  const two = (number: number) => String(number).padStart(2, "0");
  const zoned = `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  return local.toISOString().slice(0, 19) + (micros ? `.${String(micros).padStart(6, "0")}` : "") + zoned;
}
