/** What runs in each thread of a worker: it loads the handlers' module, and runs one task after the other. */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Delivery } from "./delivery.js";
import { CarawayError, InvalidOption } from "./errors.js";
import { execute } from "./execute.js";
import type { Payload } from "./gen/caraway/v1/task_pb.js";
import { TaskLeaseSchema, TaskReportSchema } from "./gen/caraway/v1/worker_service_pb.js";
import { Handler } from "./handler.js";
import { Handlers } from "./handlers.js";
import { causeOf, type Notice, type Order, type ThreadData } from "./thread_messages.js";

if (!parentPort) {
  throw new CarawayError("this module is run by a worker, in a thread of its own");
}
const port = parentPort;
const { module, reading } = workerData as ThreadData;
const handlers = await load();
let current: Delivery | undefined;

port.on("message", (order: Order) => void take(order));
tell({ kind: "ready", handlers: [...handlers.options] });

async function load(): Promise<Handlers> {
  const loaded = ((await import(module)) as { default?: unknown }).default;
  if (!(loaded instanceof Handlers)) {
    throw new InvalidOption("its default export is to be handlers: export default new Handlers().register(...)");
  }
  return loaded;
}

function tell(notice: Notice): void {
  port.postMessage(notice);
}

async function take(order: Order): Promise<void> {
  if (order.kind === "stop") {
    current?.abort.abort(causeOf(order.cause, order.message)); // else its task has ended in the meantime
    return;
  }
  const lease = fromBinary(TaskLeaseSchema, order.lease);
  const { name } = lease.task!;
  const handler = handlers.get(name) ?? Handler.missing(name);
  const d = new Delivery(lease, handler.options, order.lease.length, { soft: 0, hard: 0 }); // the worker keeps its limits
  current = d;
  const { maxPayload } = order;
  const report = await execute(d, handler, { reading, propagation: handlers.propagation, maxPayload, progress, poll });
  current = undefined;
  tell({ kind: "ended", report: toBinary(TaskReportSchema, report!) });

  function progress({ body }: Payload, state: string): void {
    if (current === d) {
      tell({ kind: "progress", detail: body.value as string, state });
    }
  }
}

/** Takes orders while a handler computes: events wait until it awaits something. */
function poll(): void {
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
    void take(next.message as Order);
  }
}
