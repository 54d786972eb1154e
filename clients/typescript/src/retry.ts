/** When calls are repeated, and how long a program waits between. */
import { GatewayError } from "./errors.js";

/** Of one try of a call, beside what it was asked to wait. In milliseconds, as all that follows. */
export const attemptTimeout = 10_000;
/** Of one call that waits; longer waits are several calls. */
export const longestWait = 60_000;
export const firstDelay = 50;
export const longestDelay = 2_000;

/** The waits between tries: doubling, bounded, drawn by chance, for clients of a gateway that comes back are not to return in step. */
export class Delays {
  private count = 0;

  next(): number {
    return Math.random() * Math.min(longestDelay, firstDelay * 2 ** Math.min(this.count++, 16));
  }

  reset(): void {
    this.count = 0;
  }
}

/** Waits, or fails by the signal's reason. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Waits for a signal. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    }
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

export function isTransient(error: unknown): error is GatewayError {
  return error instanceof GatewayError && error.isTransient;
}
