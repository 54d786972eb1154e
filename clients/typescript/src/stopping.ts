/** Stops deliveries: those that are cancelled, whose leases are lost, and all when the worker stops. */
import { durationMs } from "@bufbuild/protobuf/wkt";
import { LeaseExpired, TaskCancelled, WorkerStopped, type TaskStopped } from "./attempt.js";
import type { Delivery, Stopping } from "./delivery.js";
import { named } from "./ending_log.js";
import type { CancelLeases_Item, TaskReport } from "./gen/caraway/v1/worker_service_pb.js";
import type { Logger } from "./logger.js";
import { stopReport } from "./outcome.js";

// All in milliseconds.
const lostGrace = 1000; // that a handler has to give way once its lease is lost
const cancelGrace = 10_000; // between being told and being given up, where the caller named none

const whyStops = "the worker stops before the task ended";
const whyDeaf = "the gateway was out of reach for longer than the lease lasts";

/** Ends deliveries. */
export interface Ending {
  /** One that has not started. */
  dismiss(d: Delivery, outcome: TaskReport | undefined): void;
  /** One whose handler goes on. */
  orphan(d: Delivery, outcome: TaskReport | undefined): void;
}

/** Each handler is told by its signal; what it throws then means that it gave way. */
export class Stopper {
  constructor(
    private readonly held: ReadonlyMap<string, Delivery>,
    private readonly ending: Ending,
    private readonly logger: Logger,
  ) {}

  /** Cancels what runs, and hands it back when it has given way, or at last after a grace. */
  all(grace: number): void {
    for (const d of this.held.values()) {
      this.stop(d, "hand-back", whyStops, new WorkerStopped(whyStops), grace);
    }
  }

  /** Stops deliveries whose leases are held no longer. Those that have ended are left to their reports. */
  lost(tokens: readonly string[]): void {
    for (const token of tokens) {
      const d = this.held.get(token);
      if (d) {
        this.leaseLost(d);
      }
    }
  }

  leaseLost(d: Delivery): void {
    if (d.state !== "ended" && d.stopping !== "silent") {
      this.logger.warn(`the lease of ${named(d)} was lost, it is stopped`);
      this.stop(d, "silent", "", new LeaseExpired("the task's lease was lost: it runs elsewhere, or will"), lostGrace);
    }
  }

  /** Stops deliveries whose cancellation is asked for. */
  cancel(items: readonly CancelLeases_Item[]): void {
    for (const { leaseToken, pendingOnly, terminate, grace, reason } of items) {
      const d = this.held.get(leaseToken);
      if (d && !(pendingOnly && d.state === "running")) {
        const wait = grace ? Math.max(1, durationMs(grace)) : cancelGrace;
        this.cancelled(d, reason, terminate ? wait : 0);
      }
    }
  }

  cancelled(d: Delivery, reason: string, grace: number): void {
    this.stop(d, "cancels", reason, new TaskCancelled(reason || "the task's cancellation was asked for"), grace);
  }

  /** Hands back what is surely held no longer: what was neither received nor renewed (at `confirmed`) within `duration`. */
  checkLeases(confirmed: number, duration: number): void {
    const now = performance.now();
    for (const d of this.held.values()) {
      const isHeld = Math.max(d.received, confirmed) + duration > now;
      if (!isHeld && d.state !== "ended" && (d.stopping === "goes-on" || d.stopping === "cancels")) {
        this.logger.error(`${named(d)} is stopped: ${whyDeaf}`);
        this.stop(d, "hand-back", whyDeaf, new LeaseExpired(whyDeaf), lostGrace);
      }
    }
  }

  /** Ends a delivery: at once if it has not started; else its handler is told, and it is given up after the grace (0: never). */
  private stop(d: Delivery, stopping: Stopping, why: string, cause: TaskStopped, grace: number): void {
    if (d.state === "ended" || d.stopping === "silent") {
      return;
    }
    d.stopping = stopping;
    d.stopReason = why;
    if (d.state !== "running") {
      this.ending.dismiss(d, stopReport(d));
      return;
    }
    d.abort.abort(cause);
    if (grace > 0) {
      d.after(grace, () => this.giveUp(d));
    }
  }

  private giveUp(d: Delivery): void {
    if (d.state === "running") {
      this.logger.warn(`the handler of ${named(d)} ignores its signal, and is given up`);
      this.ending.orphan(d, stopReport(d));
    }
  }
}
