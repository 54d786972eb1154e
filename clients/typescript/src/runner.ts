/** Where handlers run. */
import type { Client } from "./client.js";
import type { Delivery } from "./delivery.js";
import { execute, type Progress } from "./execute.js";
import type { TaskReport } from "./gen/caraway/v1/worker_service_pb.js";
import { Handler, type HandlerOptions } from "./handler.js";
import type { Handlers } from "./handlers.js";

/** Runs handlers, in `slots` places. */
export interface Runner {
  /** How workers' lists call it. */
  readonly kind: string;
  readonly slots: number;
  /** The names of its tasks, and how they are run. */
  readonly handlers: ReadonlyMap<string, HandlerOptions>;
  /** Slots that can't be used now. */
  readonly stuck: number;
  /** Called when fewer slots are stuck while none of the handlers that `run` waits for has settled. */
  onFree: () => void;
  /** Runs a delivery's handler; resolves to what is to be reported, undefined: nothing. There is a slot that is not stuck. */
  run(d: Delivery, maxPayload: number, progress: Progress): Promise<TaskReport | undefined>;
  /** Does without the handler of a delivery, which has ended. */
  giveUp(d: Delivery): void;
  close(): Promise<void>;
}

/**
 * Runs handlers on the loop of this process. Nothing ends one that ignores its signal: it is an orphan, whose slot goes to the next
 * delivery, but only as long as there are no more orphans than slots. So a stuck handler does not stop the worker, and never are
 * there more handlers than twice the slots.
 */
export class EventLoop implements Runner {
  readonly kind = "event loop";
  readonly handlers: ReadonlyMap<string, HandlerOptions>;
  onFree: () => void = () => {}; // an orphan that settles ends the promise that `run` gave
  private readonly orphans = new Set<Delivery>();

  constructor(
    private readonly client: Client,
    private readonly registered: Handlers,
    readonly slots: number,
  ) {
    this.handlers = registered.options;
  }

  get stuck(): number {
    return Math.max(0, this.orphans.size - this.slots);
  }

  async run(d: Delivery, maxPayload: number, progress: Progress): Promise<TaskReport | undefined> {
    const { reading, gateway } = this.client;
    const handler = this.registered.get(d.spec.name) ?? Handler.missing(d.spec.name);
    const outcome = await execute(d, handler, { reading, propagation: gateway.propagation, maxPayload, progress });
    this.orphans.delete(d);
    return outcome;
  }

  giveUp(d: Delivery): void {
    this.orphans.add(d);
  }

  async close(): Promise<void> {}
}
