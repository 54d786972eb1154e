/** What the workers of tests/clients/test_typescript.py run, on their loop or in threads. */
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { currentAttempt } from "@caraway/client";

type Integer = number | bigint;

export function add(x: Integer, y: Integer): bigint {
  return BigInt(x) + BigInt(y);
}

/** Says by a file that it has started, and waits for another one. Gives its delivery. */
export async function hold(started: string, release: string): Promise<number> {
  writeFileSync(started, "");
  const { signal, delivery } = currentAttempt();
  while (!existsSync(release)) {
    await sleep(5, undefined, { signal });
  }
  return delivery;
}

/** Computes for some milliseconds, without awaiting anything; writes to a file that it does. Gives its delivery. */
export function spin(milliseconds: number, path = ""): number {
  const end = performance.now() + milliseconds;
  for (let turns = 0; performance.now() < end; turns++) {
    if (path && turns % 100_000 === 0) {
      writeFileSync(path, String(turns));
    }
  }
  return currentAttempt().delivery;
}
