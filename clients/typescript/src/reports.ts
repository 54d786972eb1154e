/** Sends reports: at once while nothing is under way, else in growing batches, repeated until they are answered. */
import { toBinary } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import type { Delivery } from "./delivery.js";
import { GatewayError, PayloadTooLarge } from "./errors.js";
import { fromStatus } from "./refusal.js";
import type { Gateway } from "./gateway.js";
import { AdminService } from "./gen/caraway/v1/admin_service_pb.js";
import {
  ReportTasksRequestSchema,
  TaskReportSchema,
  WorkerService,
  type ReportTasksResponse_Result as Result,
  type TaskReport,
} from "./gen/caraway/v1/worker_service_pb.js";
import type { Logger } from "./logger.js";
import { payloadFailure, refusedFailure } from "./outcome.js";
import { attemptTimeout, Delays, firstDelay, longestDelay, sleep } from "./retry.js";
import { itemFrame, listRequest } from "./size.js";

const mostInFlight = 4; // calls
const worthACall = 64; // reports, while others are under way
const mostQueued = 5000; // reports; beyond, no more is leased
const mostQueuedBytes = 32 << 20;
const reportTimeout = 10_000; // milliseconds

export interface ReportItem {
  delivery: Delivery;
  report: TaskReport;
  /** The report, as it is written. */
  bytes: Uint8Array;
  size: number;
  /** It tells how the delivery ended. */
  isFinal: boolean;
  /** It is itself the answer to a refusal. */
  isRefusal: boolean;
}

/** Who is told what the gateway answers. */
export interface Answered {
  accepted(item: ReportItem, result: Result): void;
  /** The delivery is no longer the task's current one. */
  dropped(item: ReportItem): void;
  /** A report of a start or of progress will never be taken. */
  startRefused(delivery: Delivery): void;
  /** Nothing more is to be told of it. */
  confirm(delivery: Delivery): void;
}

/** Reports of one delivery stay in order. */
export class Reporter {
  private readonly stopped = new AbortController();
  private limits = { payload: 3 << 20, message: 4 << 20, batch: 500 };
  private queue: ReportItem[] = [];
  private bytes = 0;
  private inFlight = 0;
  private batch = 0;
  private failing = false;
  private isFlushing = false;
  private onIdle: (() => void)[] = [];

  constructor(
    private readonly gateway: Gateway,
    private readonly log: Logger,
    private readonly pool: Answered,
    private readonly wake: () => void,
  ) {}

  get maxPayload(): number {
    return this.limits.payload;
  }

  /** Whether so much waits for the gateway that no more should be leased. */
  get isBehind(): boolean {
    return this.queue.length > mostQueued || this.bytes > mostQueuedBytes;
  }

  stop(): void {
    this.stopped.abort();
  }

  /** Asks the gateway for its limits, until it tells. */
  async learnLimits(): Promise<void> {
    const pause = new Delays();
    const { signal } = this.stopped;
    while (!signal.aborted) {
      try {
        const info = await this.gateway.attempt(AdminService.method.getServerInfo, {}, attemptTimeout, signal);
        const { maxPayloadBytes, maxMessageBytes, maxBatchSize } = info;
        this.limits = { payload: Number(maxPayloadBytes), message: Number(maxMessageBytes), batch: maxBatchSize };
        return;
      } catch (error) {
        if (isFinal(error)) {
          return; // the defaults are taken
        }
        await sleep(pause.next(), signal).catch(() => {});
      }
    }
  }

  add(delivery: Delivery, report: TaskReport, isFinal: boolean, isRefusal = false): void {
    const bytes = toBinary(TaskReportSchema, report);
    const size = bytes.length + itemFrame;
    this.queue.push({ delivery, report, bytes, size, isFinal, isRefusal });
    this.bytes += size;
    if (!this.isFlushing) {
      this.isFlushing = true;
      // What ends in the same turn of the loop goes together.
      setImmediate(() => {
        this.isFlushing = false;
        this.flush();
      });
    }
  }

  /** Resolves when all reports are answered, or after so many milliseconds. */
  async flushed(limit: number): Promise<void> {
    if (this.queue.length + this.inFlight > 0) {
      const idle = new Promise<void>((resolve) => this.onIdle.push(resolve));
      await Promise.race([idle, sleep(limit, this.stopped.signal).catch(() => {})]);
    }
  }

  private flush(): void {
    const isWorth = () =>
      this.inFlight === 0 || (this.inFlight < mostInFlight && this.queue.length >= worthACall * this.inFlight);
    while (this.queue.length > 0 && isWorth()) {
      const items = this.cut();
      if (items.length === 0) {
        break;
      }
      this.inFlight++;
      void this.deliver(items).then(() => {
        this.inFlight--;
        this.flush();
        this.wake();
      });
    }
    if (this.queue.length + this.inFlight === 0) {
      this.onIdle.splice(0).forEach((resolve) => resolve());
    }
  }

  /** Takes the next batch off the queue, but leaves what would overtake a report of its delivery that is under way. */
  private cut(): ReportItem[] {
    this.batch++;
    const left: ReportItem[] = [];
    const items: ReportItem[] = [];
    let room = (this.limits.message * 3) / 4;
    for (const [i, item] of this.queue.entries()) {
      const d = item.delivery;
      const overtakes = d.inFlight > 0 && d.batch !== this.batch;
      if (items.length === this.limits.batch || (item.size > room && items.length > 0 && !overtakes)) {
        left.push(...this.queue.slice(i));
        break;
      }
      if (overtakes) {
        left.push(item);
        continue;
      }
      room -= item.size;
      this.bytes -= item.size;
      d.inFlight++;
      d.batch = this.batch;
      items.push(item);
    }
    this.queue = left;
    return items;
  }

  /** Sends a batch until it is answered. */
  private async deliver(items: readonly ReportItem[]): Promise<void> {
    const reports = items.map(({ bytes }) => bytes);
    const request = listRequest(ReportTasksRequestSchema.field.reports, reports);
    const { signal } = this.stopped;
    for (let pause = firstDelay; ; pause = Math.min(2 * pause, longestDelay)) {
      try {
        const { results } = await this.gateway.attempt(WorkerService.method.reportTasks, request, reportTimeout, signal);
        if (this.takeAnswers(items, results)) {
          await sleep(pause, signal).catch(() => {});
        }
        return;
      } catch (error) {
        if (isFinal(error)) {
          await this.deliverApart(items, error as Error);
          return;
        }
        if (signal.aborted) {
          return; // given up
        }
        if (!this.failing) {
          this.failing = true;
          this.log.warn(`reports can't be delivered and are sent again: ${(error as Error).message}`);
        }
        await sleep(pause * (0.5 + Math.random() / 2), signal).catch(() => {});
      }
    }
  }

  /** Finds out which report the gateway means when it refuses the whole call, by sending each alone. */
  private async deliverApart(items: readonly ReportItem[], error: Error): Promise<void> {
    if (items.length === 1) {
      items[0].delivery.inFlight--;
      this.refuse(items[0], error.message, false);
      return;
    }
    for (const item of items) {
      await this.deliver([item]);
    }
  }

  /** Passes on each answer, and tells whether some reports are to be sent again. */
  private takeAnswers(items: readonly ReportItem[], results: readonly Result[]): boolean {
    this.failing = false;
    const again: ReportItem[] = [];
    items.forEach((item, i) => {
      item.delivery.inFlight--;
      const result = results[i];
      switch (result.status?.code ?? Code.OK) {
        case Code.OK:
          this.pool.accepted(item, result);
          break;
        case Code.UNAVAILABLE:
          again.push(item);
          this.bytes += item.size;
          break;
        case Code.ABORTED:
          this.pool.dropped(item);
          break;
        default: {
          const refusal = fromStatus(result.status!);
          this.refuse(item, refusal.message, refusal instanceof PayloadTooLarge);
        }
      }
    });
    this.queue.unshift(...again);
    return again.length > 0;
  }

  /** Has a task fail by what the gateway says against its report. */
  private refuse(item: ReportItem, message: string, isTooLarge: boolean): void {
    const d = item.delivery;
    this.log.error(`the report of task ${d.spec.taskId} (${d.spec.name}) was refused: ${message}`);
    if (!item.isFinal) {
      this.pool.startRefused(d);
    } else if (item.isRefusal) {
      this.pool.confirm(d); // nothing more can be said of it: its lease lapses
    } else {
      const why = `the gateway refused the task's report: ${message}`;
      this.add(d, isTooLarge ? payloadFailure(d, why) : refusedFailure(d, why), true, true);
    }
  }
}

/**
 * Whether a call would be answered the same however often it is made. Not so UNAUTHENTICATED: outcomes of tasks are kept until the
 * gateway's tokens, or the worker's, have been put right.
 */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof GatewayError)) {
    return false;
  }
  switch (error.code) {
    case Code.INVALID_ARGUMENT:
    case Code.UNIMPLEMENTED:
    case Code.FAILED_PRECONDITION:
    case Code.OUT_OF_RANGE:
    case Code.PERMISSION_DENIED:
      return true;
    case Code.RESOURCE_EXHAUSTED:
      return error.reason === ""; // larger than a message may be
    default:
      return false;
  }
}
