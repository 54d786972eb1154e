/** The role `client`. */
import { BatchError, Handle, stringify, type Client, type RevokeSettings, type State } from "@caraway/client";
import { failureOf, taskObject } from "./answers.js";
import { connect, ms, say, type Request } from "./lines.js";
import { callOf, stepOf } from "./specs.js";

export class ClientRole {
  private readonly clients = new Map<string, Client>();

  async answer(asked: Request): Promise<object> {
    if (asked.do === "connect") {
      this.clients.set(asked.client, connect(asked));
      return {};
    }
    const client = this.clients.get(asked.client)!;
    const waiting = { timeout: ms(asked.timeout) };
    switch (asked.do) {
      case "close":
        client.close();
        return {};
      case "submit":
        return { task_id: (await client.submit(callOf(asked.task))).id };
      case "submit_many":
        return { results: await submitMany(client, asked) };
      case "run":
        return taskObject(await client.runTask(callOf(asked.task), waiting));
      case "read":
        return taskObject(await client.get(asked.task_id));
      case "wait":
        return taskObject(await client.wait(asked.task_id, waiting));
      case "result":
        return { result: stringify(await client.handle(asked.task_id).result(waiting)) };
      case "watch":
        return watch(client, asked);
      case "list":
        return list(client, asked);
      case "revoke":
        return { outcomes: await client.revoke(asked.task_ids, revocation(asked)) };
      case "retry":
        return { outcomes: await client.retry(asked.task_ids) };
      case "delete":
        return { outcomes: await client.delete(asked.task_ids) };
      case "canvas": {
        const step = stepOf(asked.canvas);
        const whole = asked.on_error ? step.onError(callOf(asked.on_error)) : step;
        return { result: stringify(await client.run(whole, waiting)) };
      }
      default:
        throw new Error(`a client can't ${asked.do}`);
    }
  }
}

async function submitMany(client: Client, { tasks }: Request): Promise<object[]> {
  const told = (result: Handle | Error) => (result instanceof Handle ? { task_id: result.id } : { error: failureOf(result) });
  try {
    return (await client.submitMany(tasks.map(callOf))).map(told);
  } catch (error) {
    if (error instanceof BatchError) {
      return error.results.map(told);
    }
    throw error;
  }
}

async function watch(client: Client, { id, task_ids }: Request): Promise<object> {
  for await (const { task, gap, missing } of client.watch(task_ids)) {
    if (task) {
      say({ id, event: taskObject(task) });
    }
    if (gap) {
      say({ id, event: { gap } });
    }
    if (missing.length > 0) {
      say({ id, event: { missing } });
    }
  }
  return {};
}

async function list(client: Client, { states, names, queues, page_size }: Request): Promise<object> {
  const tasks: object[] = [];
  for await (const task of client.list({ states: states as State[], names, queues, pageSize: page_size })) {
    tasks.push(taskObject(task));
  }
  return { tasks };
}

function revocation({ mode, reason, grace, signal }: Request): RevokeSettings {
  const modes: Record<string, RevokeSettings["mode"]> = { CANCEL: "cancel", TERMINATE: "terminate" };
  return { mode: modes[mode ?? ""], reason, grace: ms(grace), signalName: signal };
}
