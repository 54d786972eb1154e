/** The role `worker`. */
import { BroadcastChannel } from "node:worker_threads";
import { Worker, type Client } from "@caraway/client";
import { handlersOf, Holds, releases, type Release } from "./handlers.js";
import { connect, type Request } from "./lines.js";

const holds = new Holds();

/** With `inThreads`, handlers run there. */
export class WorkerRole {
  private readonly running = new Map<string, { worker: Worker; ended: Promise<void> }>();
  private readonly toThreads = new BroadcastChannel(releases);

  constructor(private readonly inThreads: boolean) {}

  async answer(asked: Request): Promise<object> {
    if (asked.do === "start") {
      return this.start(asked);
    }
    if (asked.do === "release") {
      holds.of(asked.worker, asked.task_id).resolve();
      this.toThreads.postMessage([asked.worker, asked.task_id] satisfies Release);
      return {};
    }
    const { worker, ended } = this.running.get(asked.worker)!;
    if (asked.do === "drain") {
      worker.drain();
    } else if (asked.do === "stop") {
      worker.stop();
    } else {
      throw new Error(`a worker can't ${asked.do}`);
    }
    await ended;
    return {};
  }

  private async start(asked: Request): Promise<object> {
    const client = connect(asked);
    const worker = this.inThreads ? withThreads(client, asked) : withLoop(client, asked);
    const ended = worker.run().finally(() => client.close());
    await Promise.race([worker.ready, ended]);
    this.running.set(asked.worker, { worker, ended });
    return {};
  }
}

function withLoop(client: Client, { worker: name, queues, concurrency, handlers }: Request): Worker {
  const worker = new Worker(client, { name, queues, concurrency });
  handlersOf(name, holds, handlers).forEach(([handler, run, options]) => worker.register(handler, run, options));
  return worker;
}

function withThreads(client: Client, { worker: name, queues, concurrency, handlers }: Request): Worker {
  const handlersModule = new URL("./threaded.js", import.meta.url);
  handlersModule.search = new URLSearchParams({ worker: name, ...(handlers && { handlers: handlers.join() }) }).toString();
  return new Worker(client, { name, queues, threads: concurrency, handlersModule });
}
