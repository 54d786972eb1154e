/** Runs deliveries in as many slots as there are. */
import { HardTimeLimitExceeded, SoftTimeLimitExceeded } from "./attempt.js";
import type { Client } from "./client.js";
import { Pace } from "./credit.js";
import { Delivery, type Limits } from "./delivery.js";
import { Task_State, type Payload } from "./gen/caraway/v1/task_pb.js";
import {
  type ReportTasksResponse_Result as Result,
  type TaskLease,
  type TaskReport,
} from "./gen/caraway/v1/worker_service_pb.js";
import { logEnd, named } from "./ending_log.js";
import { fetchInputs } from "./inputs.js";
import { handedBack, hardLimit, payloadFailure, released, report, started, stopReport } from "./outcome.js";
import { Reporter, type Answered, type ReportItem } from "./reports.js";
import type { Runner } from "./runner.js";
import { Stopper, type Ending } from "./stopping.js";

// All in milliseconds.
const startReported = 100; // tasks below it need not report their start
const oldest = 200; // that a delivery waits for a slot
const mostHeld = 4096; // deliveries that wait for slots, in all

const whyDrains = "the worker drains";
const whyStale = "it found no free slot within 200 ms";
const whyExpired = "it expired before it could start";

/** A slot is free when its handler has settled, or its delivery has ended without it and the runner can do without. */
export class Pool implements Answered, Ending {
  readonly reports: Reporter;
  readonly stopper: Stopper;
  /** More may be leased, or less is held. */
  wake: () => void = () => {};
  private readonly held = new Map<string, Delivery>(); // all whose outcome the gateway has not confirmed
  private waiting: Delivery[] = []; // for a slot, in their order
  private open = 0; // held, and not ended
  private bytes = 0; // of those
  private busy = 0; // slots that have a delivery
  private slow = 0; // slots whose task has run for a while
  private readonly pace = new Pace();
  private stale: NodeJS.Timeout | undefined; // looks after what waits too long
  private closing = false;
  private onQuiet: (() => void)[] = [];

  constructor(
    private readonly client: Client,
    private readonly runner: Runner,
    private readonly limits: Limits,
  ) {
    this.reports = new Reporter(client.gateway, client.logger, this, () => this.wake());
    this.stopper = new Stopper(this.held, this, client.logger);
    runner.onFree = () => this.advance();
  }

  /** How many leases should be held, how many are, and their size. */
  get demand(): { wanted: number; open: number; bytes: number } {
    const { slots, stuck } = this.runner;
    const quick = Math.max(0, slots - this.slow - stuck);
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
      const d = new Delivery(lease, this.runner.handlers.get(lease.task!.name) ?? {}, sizes[i], this.limits);
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

  /** Has a slot that is free taken. */
  private advance(): void {
    this.dispatch();
    this.wake();
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
    return this.busy + this.runner.stuck < this.runner.slots;
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
    this.advance();
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
    if (d.limits.soft > 0) {
      const why = `the soft time limit of ${d.limits.soft / 1000} s struck`;
      d.after(d.limits.soft, () => d.abort.abort(new SoftTimeLimitExceeded(why)));
    }
    const began = performance.now();
    let outcome = await this.runner.run(d, this.reports.maxPayload, (detail, state) => this.progress(d, detail, state));
    // An error of what was told to stop means that it gave way.
    const gaveWay = outcome?.report.case === "failed" || outcome?.report.case === "lost";
    if (gaveWay || d.stopping === "silent") {
      outcome = stopReport(d, outcome);
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

  /** Reports what came of a delivery whose handler has settled, and frees its slot. */
  private free(d: Delivery, took: number, outcome: TaskReport | undefined): void {
    d.clearTimers();
    this.pace.add(took);
    if (!d.hasEnded) {
      this.busy--;
      if (outcome) {
        outcome.runTime = report(d, { case: undefined }, took).runTime;
      }
      this.end(d, outcome);
    }
    this.advance();
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

  dismiss(d: Delivery, outcome: TaskReport | undefined): void {
    this.waiting = this.waiting.filter((other) => other !== d);
    this.end(d, outcome);
    this.dispatch();
  }

  orphan(d: Delivery, outcome: TaskReport | undefined): void {
    this.busy--;
    this.end(d, outcome);
    this.runner.giveUp(d);
    this.advance();
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

  private progress(d: Delivery, detail: Payload, customState: string): void {
    if (d.state === "running" && d.stopping !== "silent") {
      this.reportStart(d);
      this.reports.add(d, report(d, { case: "progress", value: { customState, detail } }), false);
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

  accepted({ delivery: d, isFinal: isLast, report: sent }: ReportItem, { state, cancelRequested }: Result): void {
    if (isLast) {
      this.held.delete(d.token);
      return;
    }
    const awaited = d.atMostOnce && sent.report.case === "started";
    const isGone = state === Task_State.REVOKED || state === Task_State.EXPIRED;
    if (isGone || (awaited && state !== Task_State.RUNNING)) {
      this.stopper.leaseLost(d);
      return;
    }
    if (cancelRequested && d.stopping === "goes-on") {
      this.stopper.cancelled(d, "", 0);
    }
    if (awaited) {
      d.startConfirmed?.();
      d.startConfirmed = undefined;
    }
  }

  dropped({ delivery: d, isFinal: isLast }: ReportItem): void {
    if (isLast) {
      this.client.logger.warn(`the lease of ${named(d)} was lost, its outcome is dropped`);
      this.held.delete(d.token);
    } else {
      this.stopper.leaseLost(d);
    }
  }

  startRefused(d: Delivery): void {
    if (d.startConfirmed) {
      this.stopper.leaseLost(d);
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
