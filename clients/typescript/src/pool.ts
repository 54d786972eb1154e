/** Runs deliveries in as many slots as there are. */
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  HardTimeLimitExceeded,
  LeaseExpired,
  running,
  SoftTimeLimitExceeded,
  TaskCancelled,
  WorkerStopped,
  type TaskStopped,
} from "./attempt.js";
import type { Client } from "./client.js";
import { Pace } from "./credit.js";
import { Delivery, type Limits, type Stopping } from "./delivery.js";
import { Task_State } from "./gen/caraway/v1/task_pb.js";
import {
  type CancelLeases_Item,
  type ReportTasksResponse_Result as Result,
  type TaskLease,
  type TaskReport,
} from "./gen/caraway/v1/worker_service_pb.js";
import { Handler } from "./handler.js";
import { logEnd, named } from "./ending_log.js";
import { fetchInputs, mergeInputs } from "./inputs.js";
import { failure, handedBack, hardLimit, payloadFailure, released, report, started, stopReport, success } from "./outcome.js";
import { jsonPayload, readArguments } from "./payload.js";
import { Reporter, type Answered, type ReportItem } from "./reports.js";

// All in milliseconds.
const startReported = 100; // tasks below it need not report their start
const lostGrace = 1000; // that a handler has to give way once its lease is lost
const cancelGrace = 10_000; // between being told and being given up, where the caller named none
const oldest = 200; // that a delivery waits for a slot
const mostHeld = 4096; // deliveries that wait for slots, in all

const whyDrains = "the worker drains";
const whyStops = "the worker stops before the task ended";
const whyStale = "it found no free slot within 200 ms";
const whyExpired = "it expired before it could start";
const whyDeaf = "the gateway was out of reach for longer than the lease lasts";

/**
 * A slot is free when its handler has settled. One that ignores its signal, and whose delivery has ended without it, is orphaned: its
 * slot goes to the next delivery, but only as long as there are no more orphans than slots. So a stuck handler does not stop the
 * worker, and never are there more handlers than twice the slots.
 */
export class Pool implements Answered {
  readonly reports: Reporter;
  /** More may be leased, or less is held. */
  wake: () => void = () => {};
  private readonly held = new Map<string, Delivery>(); // all whose outcome the gateway has not confirmed
  private waiting: Delivery[] = []; // for a slot, in their order
  private open = 0; // held, and not ended
  private bytes = 0; // of those
  private busy = 0; // handlers that run
  private slow = 0; // slots whose task has run for a while
  private orphaned = 0; // handlers whose delivery has ended before they have
  private readonly pace = new Pace();
  private stale: NodeJS.Timeout | undefined; // looks after what waits too long
  private closing = false;
  private onQuiet: (() => void)[] = [];

  constructor(
    private readonly client: Client,
    private readonly handlers: ReadonlyMap<string, Handler>,
    private readonly slots: number,
    private readonly limits: Limits,
  ) {
    this.reports = new Reporter(client.gateway, client.logger, this, () => this.wake());
  }

  /** How many leases should be held, how many are, and their size. */
  get demand(): { wanted: number; open: number; bytes: number } {
    const quick = this.slots - this.slow - Math.max(0, this.orphaned - this.slots);
    const wanted = this.slow + Math.min(quick * this.pace.perSlot, Math.max(quick, mostHeld));
    return { wanted, open: this.open, bytes: this.bytes };
  }

  get tokens(): string[] {
    return [...this.held.keys()];
  }

  get running(): number {
    return this.open;
  }

  /** Has leases run. */
  take(leases: readonly TaskLease[], sizes: readonly number[]): void {
    leases.forEach((lease, i) => {
      const name = lease.task!.name;
      const d = new Delivery(lease, this.handlers.get(name) ?? Handler.missing(name), sizes[i], this.limits);
      this.held.set(d.token, d);
      this.open++;
      this.bytes += d.size;
      if (lease.moreInputs) {
        d.state = "reading";
        void this.readInputs(d);
      } else {
        this.waiting.push(d);
      }
    });
    this.dispatch();
  }

  /** Starts what waits, as far as there are slots. */
  private dispatch(): void {
    while (this.waiting.length > 0 && (this.hasSlot || this.closing)) {
      const d = this.waiting.shift()!;
      if (this.closing) {
        this.end(d, handedBack(d, whyDrains));
      } else if (d.isExpired) {
        this.end(d, released(d, whyExpired));
      } else {
        void this.run(d);
      }
    }
    if (this.waiting.length > 0 && !this.stale) {
      this.stale = setTimeout(() => this.handBackStale(), this.waiting[0].received + oldest - performance.now());
    }
    if (this.closing && this.open === 0) {
      this.onQuiet.splice(0).forEach((resolve) => resolve());
    }
  }

  private get hasSlot(): boolean {
    return this.busy - Math.min(this.orphaned, this.slots) < this.slots;
  }

  /** Returns what has waited for a slot too long, for another worker to take. */
  private handBackStale(): void {
    this.stale = undefined;
    const before = performance.now() - oldest;
    const all = this.waiting;
    this.waiting = [];
    for (const d of all) {
      if (d.isExpired) {
        this.end(d, released(d, whyExpired));
      } else if (d.received <= before) {
        this.end(d, released(d, whyStale));
      } else {
        this.waiting.push(d);
      }
    }
    this.dispatch();
    this.wake();
  }

  /** The life of a delivery in its slot. */
  private async run(d: Delivery): Promise<void> {
    this.busy++;
    d.state = "running";
    if (d.atMostOnce && !(await this.confirmStart(d))) {
      this.free(d, 0, stopReport(d));
      return;
    }
    d.after(startReported, () => this.tellStart(d));
    if (d.limits.hard > 0) {
      d.after(d.limits.hard, () => this.strikeHard(d));
    }
    let softLimitStruck = false;
    if (d.limits.soft > 0) {
      d.after(d.limits.soft, () => {
        softLimitStruck = d.state === "running" && d.stopping === "goes-on";
        d.abort.abort(new SoftTimeLimitExceeded(`the soft time limit of ${d.limits.soft / 1000} s struck`));
      });
    }
    const began = performance.now();
    let outcome: TaskReport | undefined;
    try {
      const value = await this.call(d);
      outcome = d.hasEnded ? undefined : success(d, value, this.reports.maxPayload);
      outcome = d.stopping === "silent" ? undefined : outcome;
    } catch (error) {
      outcome = d.hasEnded ? undefined : failure(d, error, softLimitStruck, this.client.gateway.propagation);
      // An error of what was told to stop means that it gave way.
      outcome = outcome?.report.case === "failed" || d.stopping === "silent" ? stopReport(d, outcome) : outcome;
    }
    this.free(d, performance.now() - began, outcome);
  }

  /** Tells the gateway of the start of what runs at most once, and waits for its word. */
  private confirmStart(d: Delivery): Promise<boolean> {
    d.startReported = true;
    this.reports.add(d, started(d), false);
    return new Promise((resolve) => {
      d.startConfirmed = () => resolve(true);
      d.abort.signal.addEventListener("abort", () => resolve(false), { once: true });
    });
  }

  private async call(d: Delivery): Promise<unknown> {
    const { reading, gateway } = this.client;
    const own = readArguments(d.spec, reading);
    const args = d.handler.bind(d.lease.inputs.length > 0 ? mergeInputs(own, d.lease.inputs, reading) : own);
    const attempt = d.attempt((detail, state) => this.progress(d, detail, state));
    const call = () => running.run(attempt, () => d.handler.run(...args));
    return gateway.propagation ? gateway.propagation.run(d.spec.headers, call) : call();
  }

  /** Reports what came of a delivery whose handler has settled, and frees its slot. */
  private free(d: Delivery, took: number, outcome: TaskReport | undefined): void {
    d.clearTimers();
    this.busy--;
    this.pace.add(took);
    if (d.state === "ended") {
      this.orphaned--;
    } else {
      if (outcome) {
        outcome.runTime = report(d, { case: undefined }, took).runTime;
      }
      this.end(d, outcome);
    }
    this.dispatch();
    this.wake();
  }

  /** Closes a delivery; nothing is reported for one whose lease is lost. */
  private end(d: Delivery, outcome: TaskReport | undefined): void {
    if (d.isSlow) {
      d.isSlow = false;
      this.slow--;
    }
    d.state = "ended";
    this.open--;
    this.bytes -= d.size;
    if (!outcome) {
      this.held.delete(d.token);
      return;
    }
    logEnd(this.client.logger, d, outcome);
    this.reports.add(d, outcome, true);
  }

  /** Ends a delivery whose handler goes on. */
  private orphan(d: Delivery, outcome: TaskReport | undefined): void {
    this.orphaned++;
    this.end(d, outcome);
    this.dispatch();
    this.wake();
  }

  private tellStart(d: Delivery): void {
    if (d.state === "running") {
      d.isSlow = true;
      this.slow++;
      this.reportStart(d);
    }
  }

  private reportStart(d: Delivery): void {
    if (!d.startReported && d.stopping !== "silent") {
      d.startReported = true;
      this.reports.add(d, started(d), false);
    }
  }

  private progress(d: Delivery, detail: unknown, customState = ""): void {
    const payload = jsonPayload(detail);
    if (d.state === "running" && d.stopping !== "silent") {
      this.reportStart(d);
      this.reports.add(d, report(d, { case: "progress", value: { customState, detail: payload } }), false);
    }
  }

  private strikeHard(d: Delivery): void {
    if (d.state === "running" && d.stopping !== "silent") {
      d.abort.abort(new HardTimeLimitExceeded(`the hard time limit of ${d.limits.hard / 1000} s struck`));
      this.orphan(d, hardLimit(d));
    }
  }

  /** Takes no more, and hands back what has not started; resolves when the rest has ended. */
  drain(): Promise<void> {
    this.closing = true;
    const quiet = new Promise<void>((resolve) => this.onQuiet.push(resolve));
    for (const d of this.held.values()) {
      if (d.state === "reading") {
        this.end(d, released(d, whyDrains));
      }
    }
    this.dispatch();
    return quiet;
  }

  /** Cancels what runs, and hands it back when it has given way, or at last after a grace. */
  stopAll(grace: number): void {
    for (const d of this.held.values()) {
      this.stop(d, "hand-back", whyStops, new WorkerStopped(whyStops), grace);
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
      this.waiting = this.waiting.filter((other) => other !== d);
      this.end(d, stopReport(d));
      this.dispatch();
      return;
    }
    d.abort.abort(cause);
    if (grace > 0) {
      d.after(grace, () => this.giveUp(d));
    }
  }

  private giveUp(d: Delivery): void {
    if (d.state === "running") {
      this.client.logger.warn(`the handler of ${named(d)} ignores its signal, and goes on for nobody`);
      this.orphan(d, stopReport(d));
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

  private leaseLost(d: Delivery): void {
    if (d.state !== "ended" && d.stopping !== "silent") {
      this.client.logger.warn(`the lease of ${named(d)} was lost, it is stopped`);
      this.stop(d, "silent", "", new LeaseExpired("the task's lease was lost: it runs elsewhere, or will"), lostGrace);
    }
  }

  /** Stops deliveries whose cancellation is asked for. */
  cancel(items: readonly CancelLeases_Item[]): void {
    for (const { leaseToken, pendingOnly, terminate, grace, reason } of items) {
      const d = this.held.get(leaseToken);
      if (d && !(pendingOnly && d.state === "running")) {
        const wait = grace ? Math.max(1, durationMs(grace)) : cancelGrace;
        this.stop(d, "cancels", reason, cancelled(reason), terminate ? wait : 0);
      }
    }
  }

  /** Hands back what is surely held no longer: what was neither received nor renewed (at `confirmed`) within `duration`. */
  checkLeases(confirmed: number, duration: number): void {
    const now = performance.now();
    for (const d of this.held.values()) {
      const isHeld = Math.max(d.received, confirmed) + duration > now;
      if (!isHeld && d.state !== "ended" && (d.stopping === "goes-on" || d.stopping === "cancels")) {
        this.client.logger.error(`${named(d)} is stopped: ${whyDeaf}`);
        this.stop(d, "hand-back", whyDeaf, new LeaseExpired(whyDeaf), lostGrace);
      }
    }
  }

  accepted({ delivery: d, isFinal: isLast, report: sent }: ReportItem, { state, cancelRequested }: Result): void {
    if (isLast) {
      this.held.delete(d.token);
      return;
    }
    const awaited = d.atMostOnce && sent.report.case === "started";
    const isGone = state === Task_State.REVOKED || state === Task_State.EXPIRED;
    if (isGone || (awaited && state !== Task_State.RUNNING)) {
      this.leaseLost(d);
      return;
    }
    if (cancelRequested && d.stopping === "goes-on") {
      this.stop(d, "cancels", "", cancelled(""), 0);
    }
    if (awaited) {
      this.startWasConfirmed(d);
    }
  }

  private startWasConfirmed(d: Delivery): void {
    d.startConfirmed?.();
    d.startConfirmed = undefined;
  }

  dropped({ delivery: d, isFinal: isLast }: ReportItem): void {
    if (isLast) {
      this.client.logger.warn(`the lease of ${named(d)} was lost, its outcome is dropped`);
      this.held.delete(d.token);
    } else {
      this.leaseLost(d);
    }
  }

  startRefused(d: Delivery): void {
    if (d.startConfirmed) {
      this.leaseLost(d);
    }
  }

  confirm(d: Delivery): void {
    this.held.delete(d.token);
  }

  /** Has a delivery wait for a slot once what did not fit into its lease is read. */
  private async readInputs(d: Delivery): Promise<void> {
    try {
      const inputs = await fetchInputs(this.client.gateway, d);
      if (inputs && d.state === "reading") {
        d.lease.inputs = inputs;
        d.state = "waiting";
        d.received = performance.now(); // it could not be started before
        this.waiting.push(d);
      }
    } catch (error) {
      if (d.state === "reading") {
        this.end(d, payloadFailure(d, `the task's inputs can't be read: ${(error as Error).message}`));
      }
    }
    this.dispatch();
  }
}

function cancelled(reason: string): TaskCancelled {
  return new TaskCancelled(reason || "the task's cancellation was asked for");
}
