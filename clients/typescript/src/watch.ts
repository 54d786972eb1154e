/** Following tasks as they change. */
import { create } from "@bufbuild/protobuf";
import { fromRpc } from "./refusal.js";
import type { Gateway } from "./gateway.js";
import { TaskView } from "./gen/caraway/v1/task_pb.js";
import {
  TaskService,
  WatchTasksRequestSchema,
  type WatchTasksRequest,
  type WatchTasksResponse,
} from "./gen/caraway/v1/task_service_pb.js";
import type { ReadOptions } from "./payload_read.js";
import { Delays, sleep } from "./retry.js";
import { serverStream } from "./rpc.js";
import { Task } from "./task.js";

// The gateway gives a sign of life every 15 s: a stream that is silent for longer is a broken one. In milliseconds.
const silence = 40_000;

/** What a watch tells. */
export interface WatchEvent {
  /** A task as it stands now; without arguments, result and progress. */
  task?: Task;
  /** Changes were missed: states that came and went were not told; the latest are. */
  gap: boolean;
  /** Ids of which there is no task, or no longer. */
  missing: readonly string[];
}

export async function* watch(
  gateway: Gateway,
  ids: readonly string[],
  reading: ReadOptions,
  signal?: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const request = create(WatchTasksRequestSchema, {
    selector: { taskIds: [...ids] },
    untilTerminal: true,
    view: TaskView.BASIC,
  });
  const pause = new Delays();
  let lastHeard = performance.now();
  for (;;) {
    try {
      for await (const event of follow(gateway, request, reading, signal)) {
        pause.reset();
        lastHeard = performance.now();
        if (event.task || event.gap || event.missing.length > 0) {
          yield event;
        }
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!gateway.mayRetry(error)) {
        throw error;
      }
      const delay = pause.next();
      if (performance.now() + delay - lastHeard >= gateway.retryFor) {
        throw gateway.gaveUp(error);
      }
      await sleep(delay, signal);
    }
  }
}

/** Follows one stream to its end, and keeps in `request` where the next one is to begin. */
async function* follow(
  gateway: Gateway,
  request: WatchTasksRequest,
  reading: ReadOptions,
  signal?: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  signal?.throwIfAborted();
  const stream = serverStream(gateway.transport, TaskService.method.watchTasks, request, gateway.headers());
  stream.on("error", () => {}); // it is thrown below; one after a cancel has no other listener
  const cancel = () => stream.cancel();
  const silent = setTimeout(cancel, silence);
  signal?.addEventListener("abort", cancel);
  try {
    for await (const { event, resumeToken } of stream as AsyncIterable<WatchTasksResponse>) {
      silent.refresh();
      request.resumeToken = resumeToken || request.resumeToken;
      if (event.case === "task") {
        yield { task: new Task(event.value, reading), gap: false, missing: [] };
      } else {
        yield { gap: event.value?.gap ?? false, missing: event.value?.missingTaskIds ?? [] };
      }
    }
  } catch (error) {
    throw fromRpc(error);
  } finally {
    clearTimeout(silent);
    signal?.removeEventListener("abort", cancel);
    stream.cancel();
  }
}
