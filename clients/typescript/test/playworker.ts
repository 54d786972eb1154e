/** The worker of tests/clients/test_typescript.py: playworker QUEUE [threads]. The gateway is CARAWAY_TARGET's. */
import { Client, Worker } from "@caraway/client";
import { add, hold, spin } from "./hold.js";

const [queue, threads] = process.argv.slice(2);
const handlersModule = new URL("./playhandlers.js", import.meta.url);
const worker = new Worker(new Client(), {
  queues: [queue],
  ...(threads ? { handlersModule, threads: 2 } : { concurrency: 2 }),
});
if (!threads) {
  worker.register("ts.add", add, { params: ["x", "y"] });
  worker.register("ts.echo", (value: unknown) => value);
  worker.register("ts.hold", hold);
  worker.register("ts.spin", spin);
}
await worker.runUntilSignal();
process.exit(0);
