/** Runs handlers in threads, so that one that computes keeps neither the gateway nor other tasks waiting. */
import { Worker } from "node:worker_threads";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { TaskStopped } from "./attempt.js";
import type { Client } from "./client.js";
import type { Delivery } from "./delivery.js";
import { named } from "./ending_log.js";
import { CarawayError } from "./errors.js";
import type { Progress } from "./execute.js";
import { PayloadSchema } from "./gen/caraway/v1/task_pb.js";
import { TaskLeaseSchema, TaskReportSchema, type TaskReport } from "./gen/caraway/v1/worker_service_pb.js";
import type { HandlerOptions } from "./handler.js";
import { lost } from "./outcome.js";
import type { ReadOptions } from "./payload_read.js";
import { aborted, Delays, sleep } from "./retry.js";
import type { Runner } from "./runner.js";
import { stopOrder, type Notice, type Order, type ThreadData } from "./thread_messages.js";

const closeTimeout = 5_000; // milliseconds that threads may take to end

/** What each thread begins with. */
export interface ThreadOptions {
  /** That of its handlers. */
  module: URL;
  /** MiB of objects that it may hold. */
  memory: number | undefined;
}

/** One task at a time in each thread. A thread whose task is given up is ended with it, and another takes its place. */
export class Threads implements Runner {
  readonly kind = "threads";
  readonly handlers = new Map<string, HandlerOptions>();
  /** Threads that start. */
  stuck = 0;
  onFree: () => void = () => {};
  private readonly idle: Thread[] = [];
  private readonly running = new Map<Delivery, Thread>();
  private readonly all = new Set<Thread>();
  private readonly closing = new AbortController();

  private constructor(
    private readonly client: Client,
    private readonly options: ThreadOptions,
    readonly slots: number,
  ) {}

  /**
   * Starts all threads, or as many as start before the signal.
   *
   * @throws CarawayError where the module can't be loaded.
   */
  static async start(client: Client, options: ThreadOptions, slots: number, signal: AbortSignal): Promise<Threads> {
    const threads = new Threads(client, options, slots);
    try {
      const started = Promise.all(Array.from({ length: slots }, () => threads.add()));
      await Promise.race([started, aborted(signal)]);
    } catch (error) {
      await threads.close();
      throw error;
    }
    return threads;
  }

  async run(d: Delivery, maxPayload: number, progress: Progress): Promise<TaskReport | undefined> {
    const thread = this.idle.pop()!;
    this.running.set(d, thread);
    const outcome = await thread.run(d, maxPayload, progress);
    this.running.delete(d);
    if (this.all.has(thread)) {
      this.idle.push(thread); // else it is replaced
    }
    if (!(outcome instanceof Error)) {
      return outcome;
    }
    return d.hasEnded ? undefined : lost(d, `the thread that ran it has ended: ${outcome.message}`);
  }

  giveUp(d: Delivery): void {
    const thread = this.running.get(d);
    if (thread) {
      this.replace(thread);
    }
  }

  async close(): Promise<void> {
    this.closing.abort();
    const over = new AbortController();
    const ends = Promise.all([...this.all].map((thread) => thread.end()));
    await Promise.race([ends, sleep(closeTimeout, over.signal).catch(() => {})]);
    over.abort();
  }

  private async add(): Promise<void> {
    const thread = new Thread(this.options, this.client.reading);
    this.all.add(thread);
    try {
      (await thread.ready).forEach(([name, options]) => this.handlers.set(name, options));
    } catch (error) {
      this.all.delete(thread);
      throw error;
    }
    thread.onEnd = (why) => this.ended(thread, why);
    this.idle.push(thread);
  }

  /** A thread that was not ended here has ended. */
  private ended(thread: Thread, why: Error): void {
    if (this.all.has(thread) && !this.closing.signal.aborted) {
      const task = [...this.running].find(([, other]) => other === thread)?.[0];
      const where = task ? `that runs ${named(task)}` : "that has no task";
      this.client.logger.error(`the thread ${where} has ended, another takes its place: ${why.message}`);
      this.replace(thread);
    }
  }

  /** Ends a thread, if it has not ended, and starts another in its place, sooner or later. */
  private replace(thread: Thread): void {
    if (this.closing.signal.aborted || !this.all.delete(thread)) {
      return;
    }
    const place = this.idle.indexOf(thread);
    if (place >= 0) {
      this.idle.splice(place, 1);
    }
    this.stuck++;
    void this.startAgain(thread);
  }

  private async startAgain(old: Thread): Promise<void> {
    const pause = new Delays();
    const { signal } = this.closing;
    await old.end(); // what can't be ended keeps its slot
    for (let complained = false; !signal.aborted; complained = true) {
      try {
        await this.add();
        this.stuck--;
        this.onFree();
        return;
      } catch (error) {
        if (!complained) {
          this.client.logger.error(`no thread can be started, trying again until one can: ${(error as Error).message}`);
        }
        await sleep(pause.next(), signal).catch(() => {});
      }
    }
  }
}

/** One thread. */
class Thread {
  /** The handlers of its module, by their names. */
  readonly ready: Promise<[string, HandlerOptions][]>;
  onEnd: (why: Error) => void = () => {};
  private readonly worker: Worker;
  private onNotice: (notice: Notice) => void = () => {};
  private settle: (outcome: TaskReport | Error) => void = () => {}; // of the task that it runs

  constructor({ module, memory }: ThreadOptions, reading: ReadOptions) {
    const workerData: ThreadData = { module: module.href, reading };
    const resourceLimits = memory === undefined ? {} : { maxOldGenerationSizeMb: memory };
    this.worker = new Worker(new URL("./thread.js", import.meta.url), { workerData, resourceLimits });
    this.ready = new Promise((resolve, reject) => {
      this.onNotice = (notice) => notice.kind === "ready" && resolve(notice.handlers);
      this.onEnd = ({ message }) => reject(new CarawayError(`the module ${module.href} can't be loaded: ${message}`));
    });
    let thrown: unknown;
    this.worker.on("message", (notice: Notice) => this.onNotice(notice));
    this.worker.on("error", (error) => (thrown = error));
    this.worker.on("exit", (code) => {
      const why = thrown instanceof Error ? thrown : new Error(String(thrown ?? `it exited with code ${code}`));
      this.settle(why);
      this.onEnd(why);
    });
  }

  /** Gives what the task of a delivery came to, or why the thread ended before it. */
  run(d: Delivery, maxPayload: number, progress: Progress): Promise<TaskReport | Error> {
    return new Promise((resolve) => {
      this.settle = resolve;
      this.onNotice = (notice) => {
        if (notice.kind === "progress") {
          progress(create(PayloadSchema, { body: { case: "json", value: notice.detail } }), notice.state);
        } else if (notice.kind === "ended") {
          resolve(fromBinary(TaskReportSchema, notice.report));
        }
      };
      const { signal } = d.abort;
      signal.addEventListener("abort", () => this.order(stopOrder(signal.reason as TaskStopped)), { once: true });
      this.order({ kind: "run", lease: toBinary(TaskLeaseSchema, d.lease), maxPayload });
    });
  }

  /** Ends it, whatever it does; resolves when it has. */
  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private order(order: Order): void {
    this.worker.postMessage(order);
  }
}
