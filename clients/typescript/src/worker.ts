/** Leases tasks from a gateway and runs their handlers. */
import { availableParallelism, hostname } from "node:os";
import { create } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import type { Client } from "./client.js";
import { CarawayError, InvalidOption } from "./errors.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import type { WorkerCommand } from "./gen/caraway/v1/worker_service_pb.js";
import type { HandlerFunction, HandlerOptions } from "./handler.js";
import { Handlers } from "./handlers.js";
import { LeaseStream } from "./lease_stream.js";
import { newId } from "./call.js";
import { jsonPayload } from "./payload.js";
import { Pool } from "./pool.js";
import { aborted, sleep } from "./retry.js";
import { EventLoop, type Runner } from "./runner.js";
import { Threads } from "./threads.js";

/** The version of this library. */
export const version = "0.1.0";

// The last reports, and the gateway's word that no lease is on its way, are waited for so long, in milliseconds.
const lastReports = 10_000;
const drainAck = 2_000;

/** How a worker is run. Times are in milliseconds. */
export interface WorkerOptions {
  /** Queues to lease from: "default" by default. */
  queues?: string[];
  /** Its name in lists; by default it is named after its host. */
  name?: string;
  /** How many handlers run at once on the loop of this process: ten by default. */
  concurrency?: number;
  /**
   * A module whose default export is {@link Handlers}: `new URL("./handlers.js", import.meta.url)`. Each thread loads it, and its
   * handlers run there instead of on the loop of this process; none is registered with the worker itself.
   */
  handlersModule?: URL;
  /** With `handlersModule`: how many threads there are, each of which runs one task at a time. By default one a processor. */
  threads?: number;
  /** With `handlersModule`: MiB of objects that a thread may hold; more ends it, and its task is lost. By default as Node has it. */
  threadMemory?: number;
  /** How long a draining worker waits for what runs, before it stops that: for ever by default. */
  drainTimeout?: number;
  /** How long handlers may take to settle when the worker is stopped: 1,000 by default. */
  stopGrace?: number;
  /** Bounds attempts for which neither call nor handler says anything: then the signal is aborted. */
  softTimeLimit?: number;
  /** Bounds attempts for which neither call nor handler says anything: then the attempt has failed. */
  hardTimeLimit?: number;
}

type Optional = "handlersModule" | "threadMemory";
type Settings = Required<Omit<WorkerOptions, Optional>> & Pick<WorkerOptions, Optional>;

/**
 * Leases tasks from a gateway and runs their handlers: many at a time on the one loop of this process, or, by `handlersModule`, each
 * in a thread of its own.
 *
 * It lives through outages: leases are kept by a stream that is opened again, reports are repeated until they are answered.
 *
 * A handler on the loop that computes without awaiting anything blocks it, and with it the heartbeats of all that the worker holds:
 * after 15 s the leases are lost, and the tasks run elsewhere. Such handlers belong into threads. Nothing can end a handler on the
 * loop that ignores its signal: where one does, the task ends all the same (at its hard time limit as FAILED; after the grace of a
 * termination as REVOKED), and its slot goes to the next task; but once as many handlers are stuck as the worker has slots, each
 * further one keeps its slot until it settles. In threads they are ended then, by ending their thread; another takes its place.
 */
export class Worker {
  /** Resolves once the worker takes tasks. */
  readonly ready: Promise<void>;
  private readonly options: Settings;
  private readonly handlers = new Handlers();
  private readonly id: string;
  private readonly draining = new AbortController();
  private readonly stopping = new AbortController();
  private began = false;
  private isReady!: () => void;

  /** @throws InvalidOption */
  constructor(
    private readonly client: Client,
    options: WorkerOptions = {},
  ) {
    this.options = checked({
      queues: ["default"],
      name: `typescript@${hostname()}`,
      concurrency: 10,
      threads: availableParallelism(),
      drainTimeout: Infinity,
      stopGrace: 1_000,
      softTimeLimit: 0,
      hardTimeLimit: 0,
      ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    });
    const unfit = options.handlersModule ? options.concurrency : (options.threads ?? options.threadMemory);
    if (unfit !== undefined) {
      throw new InvalidOption("concurrency is for handlers that are registered, threads are for those of a handlersModule");
    }
    this.id = `${this.options.name}#${newId().slice(-12)}`;
    this.ready = new Promise((resolve) => (this.isReady = resolve));
  }

  /** Has tasks of a name run by a function. All are registered before `run`. */
  register(name: string, run: HandlerFunction, options: HandlerOptions = {}): this {
    if (this.began || this.options.handlersModule) {
      throw new InvalidOption(
        `${name}: handlers are registered before the worker runs, and in its handlersModule if it has one`,
      );
    }
    this.handlers.register(name, run, options);
    return this;
  }

  /** Has `run` take no more tasks, hand back those that have not started, and resolve when the others have ended. */
  drain(): void {
    this.draining.abort();
  }

  /** Has `run` resolve soon: what runs is told (WorkerStopped), and handed back to run again elsewhere. */
  stop(): void {
    this.stopping.abort();
    this.drain();
  }

  /** As {@link Worker.run}, drained by SIGTERM or SIGINT, and stopped by a second one. */
  async runUntilSignal(): Promise<void> {
    const end = () => (this.draining.signal.aborted ? this.stop() : this.drain());
    process.on("SIGTERM", end).on("SIGINT", end);
    try {
      await this.run();
    } finally {
      process.off("SIGTERM", end).off("SIGINT", end);
    }
  }

  /**
   * Leases tasks and runs them, once, until `drain` or `stop` is called. Resolves when all is reported.
   *
   * @throws CarawayError if outcomes could not be reported: their leases lapse, and the tasks run again.
   */
  async run(): Promise<void> {
    const { handlersModule, concurrency, threads, threadMemory } = this.options;
    if (this.began || !(handlersModule || this.handlers.options.size > 0)) {
      throw new InvalidOption("a worker is run once, and has at least one handler: register it before");
    }
    this.began = true;
    const runner = handlersModule
      ? await Threads.start(this.client, { module: handlersModule, memory: threadMemory }, threads, this.draining.signal)
      : new EventLoop(this.client, this.handlers, concurrency);
    try {
      if (!this.draining.signal.aborted) {
        await this.work(runner);
      }
    } finally {
      await runner.close();
    }
  }

  private async work(runner: Runner): Promise<void> {
    const { softTimeLimit, hardTimeLimit } = this.options;
    const pool = new Pool(this.client, runner, { soft: softTimeLimit, hard: hardTimeLimit });
    const stream = new LeaseStream(this.client, pool, {
      hello: () => this.hello(pool, runner),
      answer: (command) => this.answer(command),
      ready: (session) => {
        this.isReady();
        this.client.logger.info(`the worker is ready (session ${session})`);
      },
    });
    pool.wake = () => stream.poke();
    const background = [stream.run(), stream.watchLeases(), pool.reports.learnLimits()];
    await aborted(this.draining.signal);
    try {
      await this.leave(pool, stream);
    } finally {
      stream.end();
      pool.reports.stop();
      await Promise.all(background);
    }
  }

  private async leave(pool: Pool, stream: LeaseStream): Promise<void> {
    const { drainTimeout, stopGrace } = this.options;
    const quiet = pool.drain();
    this.client.logger.info(`the worker takes no more tasks; ${pool.running} are running`);
    stream.drain();
    const noAck = new AbortController();
    const acked = Promise.race([stream.drained, sleep(drainAck, noAck.signal).catch(() => {})]);
    const tooLong = new AbortController();
    const late = drainTimeout < 2 ** 31 ? [sleep(drainTimeout, tooLong.signal).catch(() => {})] : [];
    await Promise.race([quiet, aborted(this.stopping.signal), ...late]);
    tooLong.abort();
    pool.stopper.all(Math.max(1, stopGrace));
    await quiet;
    await acked; // what came meanwhile has been handed back
    noAck.abort();
    await pool.reports.flushed(lastReports);
    if (pool.tokens.length > 0) {
      throw new CarawayError(`${pool.tokens.length} tasks could not be reported; their leases lapse and they run again`);
    }
  }

  private hello(pool: Pool, { kind, slots, handlers }: Runner) {
    const { queues, name } = this.options;
    const language = `node ${process.versions.node}`;
    const info = { name, hostname: hostname(), pid: BigInt(process.pid), sdk: `caraway-typescript ${version}`, language };
    return {
      workerId: this.id,
      heldLeaseTokens: pool.tokens,
      queues,
      taskNames: [...handlers.keys()].sort(),
      info: { ...info, pool: kind, concurrency: slots },
    };
  }

  /** Does what an operator wants by ControlService.CommandWorkers: ping, or shutdown, which drains. */
  private answer({ command, commandId }: WorkerCommand) {
    switch (command) {
      case "ping":
        return { commandId, output: jsonPayload({ ok: "pong" }) };
      case "shutdown":
        this.drain();
        return { commandId, output: jsonPayload({ ok: "shutting down" }) };
      default: {
        const message = `this worker has no command ${JSON.stringify(command.slice(0, 100))}; it has ping, shutdown`;
        return { commandId, status: create(StatusSchema, { code: Code.UNIMPLEMENTED, message }) };
      }
    }
  }
}

function checked(settings: Settings): Settings {
  for (const field of ["concurrency", "threads", "threadMemory"] as const) {
    const value = settings[field] ?? 1;
    if (!Number.isInteger(value) || value < 1) {
      throw new InvalidOption(`a worker's ${field} is a whole number, at least 1, not ${value}`);
    }
  }
  if (settings.queues.length === 0) {
    throw new InvalidOption("a worker has at least one queue");
  }
  if (settings.handlersModule && !(settings.handlersModule instanceof URL)) {
    throw new InvalidOption('handlersModule is a URL: new URL("./handlers.js", import.meta.url)');
  }
  return settings;
}
