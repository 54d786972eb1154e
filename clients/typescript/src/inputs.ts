/** What nodes of a workflow hand on to a task. */
import type { Delivery } from "./delivery.js";
import { PayloadError } from "./errors.js";
import type { Gateway } from "./gateway.js";
import { WorkerService, type InputPart, type InputPart_Input } from "./gen/caraway/v1/worker_service_pb.js";
import { WorkflowNode_Edge_Pass as Pass } from "./gen/caraway/v1/workflow_pb.js";
import { readPayload, type Arguments } from "./payload.js";
import type { ReadOptions } from "./payload_read.js";
import { isFinal } from "./reports.js";
import { attemptTimeout, Delays, sleep } from "./retry.js";
import { TaskFailed } from "./task.js";

/**
 * Reads what did not fit into a lease, page after page, until the delivery is stopped; then gives nothing.
 *
 * @throws what the gateway will always say.
 */
export async function fetchInputs(gateway: Gateway, d: Delivery): Promise<InputPart[] | undefined> {
  const pause = new Delays();
  const inputs: InputPart[] = [];
  let pageToken = "";
  while (d.state === "reading") {
    try {
      const request = { taskId: d.spec.taskId, leaseToken: d.token, pageToken };
      const page = await gateway.attempt(WorkerService.method.getInputs, request, 2 * attemptTimeout);
      inputs.push(...page.inputs);
      pageToken = page.nextPageToken;
      if (!pageToken) {
        return inputs;
      }
    } catch (error) {
      if (isFinal(error)) {
        throw error;
      }
      await sleep(pause.next());
    }
  }
  return undefined;
}

/** Reads the flat sequence of parts; the value of a node that failed is a TaskFailed. */
function readInputs(parts: readonly InputPart[], options: ReadOptions): [InputPart_Input, unknown][] {
  const inputs: [InputPart_Input, unknown][] = [];
  const lists: unknown[][] = []; // those that are begun, the innermost last
  let start: InputPart_Input | undefined;
  for (const { part } of parts) {
    let value: unknown;
    switch (part.case) {
      case "input":
        start = part.value;
        continue;
      case "listBegin":
        lists.push([]);
        continue;
      case "listEnd":
        value = lists.pop();
        demand(value !== undefined);
        break;
      case "failure":
        value = new TaskFailed(part.value.taskId, "FAILED", part.value.error);
        break;
      default:
        value = readPayload(part.value, options);
    }
    if (lists.length > 0) {
      lists.at(-1)!.push(value);
    } else {
      demand(start !== undefined);
      inputs.push([start!, value]);
      start = undefined;
    }
  }
  demand(start === undefined && lists.length === 0);
  return inputs;
}

function demand(holds: boolean): void {
  if (!holds) {
    throw new PayloadError("an input has no beginning, or no end");
  }
}

/**
 * Puts inputs into a task's own arguments: a list of all that is passed as one comes first, then what is passed as first argument,
 * then the task's own; what is passed by name stands over its own.
 */
export function mergeInputs(own: Arguments, parts: readonly InputPart[], options: ReadOptions): Arguments {
  const listed: unknown[] = [];
  const first: unknown[] = [];
  const kwargs = { ...own.kwargs };
  for (const [{ passAs, kwarg }, value] of readInputs(parts, options)) {
    if (passAs === Pass.LIST) {
      listed.push(value);
    } else if (passAs === Pass.FIRST_ARG) {
      first.push(value);
    } else if (passAs === Pass.KWARG) {
      kwargs[kwarg] = value;
    }
  }
  return { args: [...(listed.length > 0 ? [listed] : []), ...first, ...own.args], kwargs };
}
