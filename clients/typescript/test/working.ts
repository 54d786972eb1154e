/** A worker that works while the tests of a file run. */
import { after, before } from "node:test";
import type { Client, Worker } from "@caraway/client";

export function whileTested(client: Client, worker: Worker): void {
  let ended: Promise<void>;

  before(async () => {
    ended = worker.run();
    await worker.ready;
  });

  after(async () => {
    worker.drain();
    await ended;
    client.close();
  });
}
