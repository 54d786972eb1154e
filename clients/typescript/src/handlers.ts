/** Handlers by the names of their tasks. */
import { InvalidOption } from "./errors.js";
import type { Propagation } from "./gateway.js";
import { Handler, type HandlerFunction, type HandlerOptions } from "./handler.js";

/**
 * Handlers by the names of their tasks. A module whose default export they are has them run in threads: see
 * {@link WorkerOptions.handlersModule}.
 *
 * ```ts
 * export default new Handlers().register("tasks.add", (x: number, y: number) => x + y, { params: ["x", "y"] });
 * ```
 */
export class Handlers {
  /** @internal */
  readonly propagation: Propagation | undefined;
  private readonly registered = new Map<string, Handler>();

  /** `propagation` carries traces to handlers in threads; those on a worker's own loop have its client's. */
  constructor({ propagation }: { propagation?: Propagation } = {}) {
    this.propagation = propagation;
  }

  /**
   * Has tasks of a name run by a function.
   *
   * @throws InvalidOption where the name is taken.
   */
  register(name: string, run: HandlerFunction, options: HandlerOptions = {}): this {
    if (this.registered.has(name)) {
      throw new InvalidOption(`the handler ${name} is registered already`);
    }
    this.registered.set(name, new Handler(name, options, run));
    return this;
  }

  /** @internal */
  get(name: string): Handler | undefined {
    return this.registered.get(name);
  }

  /** @internal By name. */
  get options(): Map<string, HandlerOptions> {
    return new Map([...this.registered].map(([name, { options }]) => [name, options]));
  }
}
