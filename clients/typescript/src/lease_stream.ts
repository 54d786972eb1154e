/** Keeps one stream to the gateway open: credit and heartbeats up, leases and cancellations down. */
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { Client } from "./client.js";
import { Credit } from "./credit.js";
import { CarawayError } from "./errors.js";
import { fromRpc } from "./refusal.js";
import {
  LeaseTasksRequestSchema,
  LeaseBatchSchema,
  LeaseTasksResponseSchema,
  WorkerService,
  type HelloSchema,
  type LeaseTasksRequest,
  type LeaseTasksResponse,
  type Welcome,
  type WorkerCommand,
  type CommandReplySchema,
} from "./gen/caraway/v1/worker_service_pb.js";
import type { Pool } from "./pool.js";
import { firstDelay, sleep } from "./retry.js";
import { duplex } from "./rpc.js";
import { itemSizes } from "./size.js";

// All in milliseconds.
const welcomeTimeout = 5_000;
const leaveTimeout = 1_000;
const longestPause = 1_500;

type RequestInit = NonNullable<Exclude<MessageInitShape<typeof LeaseTasksRequestSchema>, { $typeName: string }>["message"]>;
type Reply = MessageInitShape<typeof CommandReplySchema>;

/** A message, and how it was written. */
interface Answer {
  message: LeaseTasksResponse["message"];
  bytes: Uint8Array;
}

const read = (bytes: Uint8Array): Answer => ({ message: fromBinary(LeaseTasksResponseSchema, bytes).message, bytes });

/** What the worker gives the stream. */
export interface StreamOwner {
  hello(): MessageInitShape<typeof HelloSchema>;
  answer(command: WorkerCommand): Reply;
  /** The first welcome came. */
  ready(session: string): void;
}

export class LeaseStream {
  readonly drained: Promise<void>;
  /** When what the gateway has answered was sent. */
  confirmed = -Infinity;
  interval = 5_000;
  lease = 15_000;
  isDraining = false;
  markDrained!: () => void;
  private session: Session | undefined;
  private complained = false;
  private pause = firstDelay;
  private readonly ended = new AbortController();

  constructor(
    readonly client: Client,
    readonly pool: Pool,
    readonly owner: StreamOwner,
  ) {
    this.drained = new Promise((resolve) => (this.markDrained = resolve));
  }

  /** There may be something to send. */
  poke(): void {
    this.session?.send(false);
  }

  /** Keeps a stream open until `end`. */
  async run(): Promise<void> {
    const { signal } = this.ended;
    while (!signal.aborted) {
      this.session = new Session(this);
      const error = await this.session.run();
      this.session = undefined;
      if (this.isDraining) {
        this.markDrained(); // no lease is on its way
      } else if (error && !this.complained && !signal.aborted) {
        this.complained = true; // once an outage: the tries go on several times a second
        this.client.logger.warn(`the gateway can't be reached, trying again until it can: ${error.message}`);
      }
      const pause = this.pause * (0.5 + Math.random() / 2);
      this.pause = Math.min(2 * this.pause, longestPause);
      await sleep(pause, signal).catch(() => {});
    }
  }

  /** Hands back what the gateway was out of reach for too long to hold. */
  async watchLeases(): Promise<void> {
    while (!this.ended.signal.aborted) {
      const pause = Math.max(50, this.lease / 20);
      const due = performance.now() + pause;
      await sleep(pause, this.ended.signal).catch(() => {});
      this.tellBlocked(performance.now() - due);
      this.pool.stopper.checkLeases(this.confirmed, this.lease);
    }
  }

  /** Warns of a handler that has kept the loop for so many milliseconds, if that was long. */
  private tellBlocked(late: number): void {
    if (late > this.lease / 3) {
      const times = `for ${(late / 1000).toFixed(1)} s, and leases last ${this.lease / 1000} s`;
      this.client.logger.warn(`something blocked the loop ${times}: run handlers that compute in threads (handlersModule)`);
    }
  }

  /** Asks for no more leases. */
  drain(): void {
    this.isDraining = true;
    if (this.session?.isWelcomed) {
      this.poke();
    } else {
      this.markDrained();
    }
  }

  end(): void {
    this.ended.abort();
    this.session?.close();
  }

  welcomed(welcome: Welcome, sent: number): void {
    this.interval = welcome.heartbeatInterval ? durationMs(welcome.heartbeatInterval) : this.interval;
    this.lease = welcome.leaseDuration ? durationMs(welcome.leaseDuration) : this.lease;
    this.confirmed = Math.max(this.confirmed, sent);
    this.pool.stopper.lost(welcome.lostLeaseTokens);
    if (this.complained) {
      this.complained = false;
      this.client.logger.warn("the gateway is back");
    }
    this.owner.ready(welcome.sessionId);
  }

  /** A message came: the next stream, should there be one, is opened soon. */
  heard(): void {
    this.pause = firstDelay;
  }
}

/** One stream. */
class Session {
  isWelcomed = false;
  private stream!: ClientDuplexStream<LeaseTasksRequest, Answer>;
  private readonly credit = new Credit();
  private readonly unanswered = new Map<bigint, number>(); // heartbeats by their numbers, and when they were sent
  private sequence = 0n;
  private drainSent = false;
  private isLeaving = false;
  private why: Error | undefined; // it was ended here
  private timers: NodeJS.Timeout[] = [];

  constructor(private readonly owner: LeaseStream) {}

  /** Resolves when the stream has ended, to why. */
  async run(): Promise<Error | undefined> {
    const { gateway } = this.owner.client;
    return new Promise((resolve) => {
      try {
        this.stream = duplex(gateway.transport, WorkerService.method.leaseTasks, gateway.headers(), read);
      } catch (error) {
        resolve(error as Error);
        return;
      }
      const ended = (error?: Error) => {
        this.timers.forEach(clearTimeout);
        this.isWelcomed = false;
        resolve(this.why ?? error);
      };
      const sent = performance.now();
      this.stream.on("data", (answer: Answer) => this.take(answer, sent));
      this.stream.on("error", (error) => ended(fromRpc(error)));
      this.stream.on("end", () => ended());
      this.timers.push(setTimeout(() => this.fail("no welcome came"), welcomeTimeout));
      this.write({ case: "hello", value: this.owner.owner.hello() });
    });
  }

  close(): void {
    this.stream?.cancel();
  }

  private fail(message: string): void {
    this.why = new CarawayError(message);
    this.close();
  }

  private write(message: RequestInit): void {
    if (this.stream.writable) {
      this.stream.write(create(LeaseTasksRequestSchema, { message }));
    }
  }

  private take({ message, bytes }: Answer, helloSent: number): void {
    this.owner.heard();
    switch (message.case) {
      case "welcome":
        this.timers.splice(0).forEach(clearTimeout);
        this.isWelcomed = true;
        this.owner.welcomed(message.value, helloSent);
        this.beatLater();
        break;
      case "leases": {
        const sizes = itemSizes(LeaseTasksResponseSchema.field.leases, LeaseBatchSchema.field.leases, bytes);
        this.credit.receive(
          sizes.length,
          sizes.reduce((sum, size) => sum + size, 0),
        );
        this.owner.pool.take(message.value.leases, sizes);
        break;
      }
      case "heartbeatAck":
        this.takeAck(message.value.sequence);
        this.owner.pool.stopper.lost(message.value.lostLeaseTokens);
        break;
      case "cancel":
        this.owner.pool.stopper.cancel(message.value.items);
        break;
      case "command":
        this.write({ case: "commandReply", value: this.owner.owner.answer(message.value) });
        break;
      case "drainAck":
        if (this.isLeaving) {
          this.leave();
        } else {
          this.owner.markDrained(); // the stream stays: what runs is renewed on it
        }
        break;
      case "goaway": {
        this.owner.client.logger.info(`the gateway leaves; a new stream is opened: ${message.value.reason}`);
        this.isLeaving = true;
        const within = message.value.within ? durationMs(message.value.within) : leaveTimeout;
        this.timers.push(setTimeout(() => this.leave(), Math.min(leaveTimeout, within || leaveTimeout)));
        break;
      }
    }
    this.send(false);
  }

  private leave(): void {
    if (this.owner.isDraining) {
      this.owner.markDrained();
    }
    this.close();
  }

  private takeAck(sequence: bigint): void {
    this.owner.confirmed = Math.max(this.owner.confirmed, this.unanswered.get(sequence) ?? -Infinity);
    for (const other of this.unanswered.keys()) {
      if (other <= sequence) {
        this.unanswered.delete(other);
      }
    }
  }

  private beatLater(): void {
    const delay = this.owner.interval * (0.8 + 0.18 * Math.random());
    this.timers = [setTimeout(() => (this.send(true), this.beatLater()), delay), ...this.timers.slice(1)];
  }

  /** Sends what is to be sent now. */
  send(heartbeat: boolean): void {
    if (!this.isWelcomed) {
      return;
    }
    const { pool, isDraining } = this.owner;
    const { wanted, open, bytes } = pool.demand;
    if ((isDraining || this.isLeaving) && !this.drainSent) {
      this.drainSent = true;
      this.write({ case: "drain", value: {} });
    } else if (!this.drainSent && !pool.reports.isBehind && this.credit.grow(wanted, open, bytes)) {
      const { leaseAllowance, byteAllowance } = this.credit;
      const value = { leaseAllowance: BigInt(leaseAllowance), byteAllowance: BigInt(byteAllowance) };
      this.write({ case: "credit", value });
    }
    if (heartbeat) {
      this.beat();
    }
  }

  /** Renews all that is held. A stream that is open but silent is a broken one: better a new one than leases that lapse. */
  private beat(): void {
    const now = performance.now();
    const oldest = Math.min(...this.unanswered.values());
    if (now - oldest > this.owner.interval * 1.5) {
      this.fail("heartbeats are not answered");
      return;
    }
    this.unanswered.set(++this.sequence, now);
    this.write({ case: "heartbeat", value: { sequence: this.sequence, leaseTokens: this.owner.pool.tokens } });
  }
}
