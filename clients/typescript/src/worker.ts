/** Leases tasks from a gateway and runs their handlers. */
import { hostname } from "node:os";
import { create } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import type { Client } from "./client.js";
import { CarawayError, InvalidOption } from "./errors.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import type { WorkerCommand } from "./gen/caraway/v1/worker_service_pb.js";
import { Handler, type HandlerFunction, type HandlerOptions } from "./handler.js";
import { LeaseStream } from "./lease_stream.js";
import { newId } from "./call.js";
import { jsonPayload } from "./payload.js";
import { Pool } from "./pool.js";
import { sleep } from "./retry.js";

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
  /** How many handlers run at once: ten by default. */
  concurrency?: number;
  /** How long a draining worker waits for what runs, before it stops that: for ever by default. */
  drainTimeout?: number;
  /** How long handlers may take to settle when the worker is stopped: 1,000 by default. */
  stopGrace?: number;
  /** Bounds attempts for which neither call nor handler says anything: then the signal is aborted. */
  softTimeLimit?: number;
  /** Bounds attempts for which neither call nor handler says anything: then the attempt has failed. */
  hardTimeLimit?: number;
}

/**
 * Leases tasks from a gateway and runs their handlers, many at a time on the one loop of this process.
 *
 * It lives through outages: leases are kept by a stream that is opened again, reports are repeated until they are answered.
 *
 * A handler that computes without awaiting anything blocks the loop, and with it the heartbeats of all that the worker holds: after
 * 15 s the leases are lost, and the tasks run elsewhere. Such work belongs into a `worker_thread` or a child process that the handler
 * awaits. Nothing can end a handler that ignores its signal: where one does, the task ends all the same (at its hard time limit as
 * FAILED; after the grace of a termination as REVOKED), and its slot goes to the next task; but once as many handlers are stuck
 * as the worker has slots, each further one keeps its slot until it settles.
 */
export class Worker {
  /** Resolves once the worker takes tasks. */
  readonly ready: Promise<void>;
  private readonly options: Required<WorkerOptions>;
  private readonly handlers = new Map<string, Handler>();
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
    this.options = {
      queues: ["default"],
      name: `typescript@${hostname()}`,
      concurrency: 10,
      drainTimeout: Infinity,
      stopGrace: 1_000,
      softTimeLimit: 0,
      hardTimeLimit: 0,
      ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    };
    const { concurrency, queues } = this.options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new InvalidOption(`a worker's concurrency is a whole number, at least 1, not ${concurrency}`);
    }
    if (queues.length === 0) {
      throw new InvalidOption("a worker has at least one queue");
    }
    this.id = `${this.options.name}#${newId().slice(-12)}`;
    this.ready = new Promise((resolve) => (this.isReady = resolve));
  }

  /** Has tasks of a name run by a function. All are registered before `run`. */
  register(name: string, run: HandlerFunction, options: HandlerOptions = {}): this {
    if (this.began || this.handlers.has(name)) {
      throw new InvalidOption(`the handler ${name} is registered already, or the worker runs`);
    }
    this.handlers.set(name, new Handler(name, options, run));
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
    if (this.began || this.handlers.size === 0) {
      throw new InvalidOption("a worker is run once, and has at least one handler: register it before");
    }
    this.began = true;
    const { concurrency, softTimeLimit, hardTimeLimit } = this.options;
    const pool = new Pool(this.client, this.handlers, concurrency, { soft: softTimeLimit, hard: hardTimeLimit });
    const stream = new LeaseStream(this.client, pool, {
      hello: () => this.hello(pool),
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
    pool.stopAll(Math.max(1, stopGrace));
    await quiet;
    await acked; // what came meanwhile has been handed back
    noAck.abort();
    await pool.reports.flushed(lastReports);
    if (pool.tokens.length > 0) {
      throw new CarawayError(`${pool.tokens.length} tasks could not be reported; their leases lapse and they run again`);
    }
  }

  private hello(pool: Pool) {
    const { queues, name, concurrency } = this.options;
    const language = `node ${process.versions.node}`;
    const info = { name, hostname: hostname(), pid: BigInt(process.pid), sdk: `caraway-typescript ${version}`, language };
    return {
      workerId: this.id,
      heldLeaseTokens: pool.tokens,
      queues,
      taskNames: [...this.handlers.keys()].sort(),
      info: { ...info, pool: "event loop", concurrency },
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
