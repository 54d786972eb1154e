/** Many tasks in few messages. */
import { create, toBinary } from "@bufbuild/protobuf";
import { specOf } from "./call.js";
import type { Client } from "./client.js";
import { CarawayError, GatewayError, InvalidOption } from "./errors.js";
import { fromStatus } from "./refusal.js";
import { BatchSubmitTasksRequestSchema, SubmitTaskRequestSchema, TaskService } from "./gen/caraway/v1/task_service_pb.js";
import type { Handle } from "./handle.js";
import { itemFrame, listRequest, Part } from "./size.js";
import type { Call } from "./workflow.js";

/** Some calls of a batch were not accepted. */
export class BatchError<R = unknown> extends CarawayError {
  constructor(
    /** For each call, in order, its handle, or why it was not accepted. */
    readonly results: readonly (Handle<R> | Error)[],
  ) {
    const refused = results.filter((result) => result instanceof Error);
    super(`${refused.length} of ${results.length} calls were not accepted; the first: ${refused[0].message}`, {
      cause: refused[0],
    });
  }
}

/** A request as it is written, and its place among the results. */
interface Item {
  place: number;
  request: Uint8Array;
}

export async function submitMany<R>(client: Client, calls: Iterable<Call<R>>, signal?: AbortSignal): Promise<Handle<R>[]> {
  const results: (Handle<R> | Error)[] = [];
  let lost: Error | undefined;
  for (const part of cut(client, calls, results)) {
    // Once the gateway is away, every later part would wait as long for it.
    lost ??= await submitPart(client, part, results, signal);
    if (lost) {
      part.forEach(({ place }) => (results[place] = lost!));
    }
  }
  if (results.some((result) => result instanceof Error)) {
    throw new BatchError<R>(results);
  }
  return results as Handle<R>[];
}

/** Writes calls into parts that a message takes. A call that can't be written has its error among the results. */
function* cut<R>(client: Client, calls: Iterable<Call<R>>, results: (Handle<R> | Error)[]): Generator<Item[]> {
  let part = new Part<Item>();
  let place = 0;
  for (const call of calls) {
    try {
      if (!call.isPlain) {
        throw new InvalidOption("a call with onSuccess or onError is a workflow: submit it alone");
      }
      const task = specOf(call.name, call.args, call.options, client.gateway.propagation);
      const request = toBinary(SubmitTaskRequestSchema, create(SubmitTaskRequestSchema, { task }));
      const size = request.length + itemFrame;
      if (part.isFullFor(size)) {
        yield part.items;
        part = new Part<Item>();
      }
      part.add({ place, request }, size);
    } catch (error) {
      results[place] = error as Error;
    }
    place++;
  }
  if (part.items.length > 0) {
    yield part.items;
  }
}

/** Gives the error by which the gateway is away. */
async function submitPart<R>(
  client: Client,
  part: Item[],
  results: (Handle<R> | Error)[],
  signal?: AbortSignal,
): Promise<Error | undefined> {
  try {
    const requests = part.map(({ request }) => request);
    const written = listRequest(BatchSubmitTasksRequestSchema.field.requests, requests);
    const response = await client.gateway.call(TaskService.method.batchSubmitTasks, written, signal);
    part.forEach(({ place }, i) => {
      const { case: kind, value } = response.results[i].outcome;
      results[place] = kind === "error" ? fromStatus(value) : client.submitted<R>(value!);
    });
  } catch (error) {
    if (!(error instanceof GatewayError) || error.isTransient) {
      return error as Error;
    }
    part.forEach(({ place }) => (results[place] = error));
  }
  return undefined;
}
