/** Calls to a gateway that are repeated while it, or its store, can't be reached. */
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { GatewayError, InvalidOption } from "./errors.js";
import { attemptTimeout, Delays, isTransient, sleep } from "./retry.js";
import { unary, type Method } from "./rpc.js";
import { Transport, type TransportOptions } from "./transport.js";

/**
 * Carries a trace from the caller to the handler, in the headers of tasks and calls. With OpenTelemetry:
 *
 * ```ts
 * import { context, propagation } from "@opentelemetry/api";
 *
 * const client = new Client({
 *   propagation: {
 *     inject: (headers) => propagation.inject(context.active(), headers),
 *     run: (headers, handler) => context.with(propagation.extract(context.active(), headers), handler),
 *   },
 * });
 * ```
 */
export interface Propagation {
  /** Writes what the caller's context carries into headers. */
  inject(headers: Record<string, string>): void;
  /** Runs a handler in a context that carries what headers have. */
  run<T>(headers: Readonly<Record<string, string>>, handler: () => T): T;
}

/** How a gateway is called. */
export interface GatewayOptions extends TransportOptions {
  /**
   * How long a call is repeated while the gateway can't be reached, in milliseconds: 20,000 by default, 0 for one try, at most
   * 540,000, because the gateway knows a submitted id again for ten minutes.
   */
  retryFor?: number;
  /** Carries traces along; nothing is carried by default. */
  propagation?: Propagation;
}

/** How one call of a caller's is made. */
export interface CallSettings {
  /** Ends the call; what it fails by is the signal's reason. */
  signal?: AbortSignal;
}

export class Gateway {
  readonly transport: Transport;
  readonly propagation: Propagation | undefined;
  readonly retryFor: number;
  private closed = false;

  constructor(options: GatewayOptions) {
    this.retryFor = options.retryFor ?? 20_000;
    if (!(this.retryFor >= 0 && this.retryFor <= 540_000)) {
      throw new InvalidOption(`retryFor is 0 to 540,000 milliseconds, not ${this.retryFor}`);
    }
    this.propagation = options.propagation;
    this.transport = new Transport(options);
  }

  close(): void {
    this.closed = true;
    this.transport.channel.close();
  }

  /** The trace that goes with a call. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    this.propagation?.inject(headers);
    return headers;
  }

  /** Makes a call once. The request is a message, or the bytes of one that is written already. */
  attempt<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I> | Uint8Array,
    timeout: number = attemptTimeout,
    signal?: AbortSignal,
  ): Promise<MessageShape<O>> {
    const message = request instanceof Uint8Array ? request : create(method.input, request);
    return unary(this.transport, method, message, { timeout, headers: this.headers(), ...(signal && { signal }) });
  }

  /** Makes a call and repeats it until it is answered, refused, or the time for retries is over. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I> | Uint8Array,
    signal?: AbortSignal,
    timeout: number = attemptTimeout,
  ): Promise<MessageShape<O>> {
    const pause = new Delays();
    let failing: number | undefined; // since when
    for (;;) {
      const began = performance.now();
      try {
        return await this.attempt(method, request, timeout, signal);
      } catch (error) {
        if (!this.mayRetry(error)) {
          throw error;
        }
        const now = performance.now();
        if (failing === undefined || now - began > this.retryFor) {
          failing = now; // a call that waited so long had reached the gateway
        }
        const delay = pause.next();
        if (now + delay - failing >= this.retryFor) {
          throw this.gaveUp(error);
        }
        await sleep(delay, signal);
      }
    }
  }

  mayRetry(error: unknown): error is GatewayError {
    return !this.closed && isTransient(error);
  }

  gaveUp(error: GatewayError): GatewayError {
    const kind = error.constructor as typeof GatewayError;
    const text = `the gateway at ${this.transport.target}, or its store, could not be reached for ${this.retryFor / 1000} s; is it running, and is the target right?: ${error.message}`;
    return new kind(text, error.code, error.reason, error.metadata, { cause: error });
  }
}
