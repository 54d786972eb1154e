/** Functions that run tasks. */
import { Reject } from "./attempt.js";
import { InvalidOption, PayloadError } from "./errors.js";
import type { Arguments } from "./payload.js";

/**
 * Runs a task: it gets the arguments by position, and what it returns, or resolves to, is the task's result. What it throws fails
 * the attempt; {@link Retry}, {@link NonRetryable}, {@link Reject}, {@link Ignore} and {@link Replace} say more by theirs.
 */
export type HandlerFunction = (...args: any[]) => unknown;

/** How a handler's tasks are run. Times are in milliseconds. */
export interface HandlerOptions {
  /**
   * Names of its parameters in their order, so that arguments by name find their places; a "?" at the end marks one that may be
   * missing. One too many, or one that is missing, then fails the task (PAYLOAD). Without this, arguments by name come as one object
   * after the others.
   */
  params?: readonly string[];
  /** It takes all arguments as they came: the list of those by position, and the object of those by name. */
  raw?: boolean;
  /** Its tasks never run again once they have started, unless their call says otherwise. */
  atMostOnce?: boolean;
  /** For tasks whose call says nothing: after this the attempt's signal is aborted. */
  softTimeLimit?: number;
  /** For tasks whose call says nothing: after this the attempt has failed. */
  hardTimeLimit?: number;
}

export class Handler {
  private readonly required: readonly boolean[];
  private readonly params: readonly string[] | undefined;

  constructor(
    readonly name: string,
    readonly options: HandlerOptions,
    readonly run: HandlerFunction,
  ) {
    if (!name || typeof run !== "function") {
      throw new InvalidOption("a handler has the name of a task, and a function");
    }
    this.params = options.params?.map((param) => param.replace(/\?$/, ""));
    this.required = options.params?.map((param) => !param.endsWith("?")) ?? [];
  }

  /** Stands in for a handler that is not registered, which no gateway leases tasks to. */
  static missing(name: string): Handler {
    return new Handler(name, {}, () => {
      throw new Reject(`no handler of this worker is called ${name}`);
    });
  }

  /** The arguments as its function takes them. */
  bind({ args, kwargs }: Arguments): unknown[] {
    if (this.options.raw) {
      return [args, kwargs];
    }
    if (!this.params) {
      return Object.keys(kwargs).length > 0 ? [...args, kwargs] : args;
    }
    if (args.length > this.params.length) {
      throw mismatch(`it takes ${this.params.length}, and got ${args.length}`);
    }
    const bound = [...args];
    for (const [name, value] of Object.entries(kwargs)) {
      const place = this.params.indexOf(name);
      if (place < args.length) {
        throw mismatch(place < 0 ? `it has no argument ${JSON.stringify(name)}` : `it got ${JSON.stringify(name)} twice`);
      }
      bound[place] = value;
    }
    this.params.forEach((name, place) => {
      if (this.required[place] && !(place in bound)) {
        throw mismatch(`its argument ${JSON.stringify(name)} is missing`);
      }
    });
    return bound;
  }
}

function mismatch(why: string): PayloadError {
  return new PayloadError(`the arguments do not fit the handler: ${why}`);
}
