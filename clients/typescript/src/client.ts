/** The client of a gateway. */
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { specOf, stampsOf, type Label } from "./call.js";
import { InvalidOption, TimeoutError } from "./errors.js";
import { Gateway, type CallSettings, type GatewayOptions } from "./gateway.js";
import { Task_State, TaskError_Kind, TaskFilterSchema, TaskView } from "./gen/caraway/v1/task_pb.js";
import {
  DeleteTasksResponse_Result_Outcome as DeleteOutcome,
  RetryTasksResponse_Result_Outcome as RetryOutcome,
  RevokeTasksRequest_Mode as Mode,
  RevokeTasksResponse_Result_Outcome as RevokeOutcome,
  SubmitDisposition,
  TaskService,
  type SubmitTaskResponse,
} from "./gen/caraway/v1/task_service_pb.js";
import { WorkflowService } from "./gen/caraway/v1/workflow_service_pb.js";
import { Handle } from "./handle.js";
import { logToStderr, type Logger } from "./logger.js";
import type { ReadOptions } from "./payload_read.js";
import { attemptTimeout, Delays, longestWait, sleep } from "./retry.js";
import { batchItems } from "./size.js";
import { submitMany } from "./submit_many.js";
import { submitWorkflow } from "./submit_workflow.js";
import { Task, type Kind, type State } from "./task.js";
import { watch, type WatchEvent } from "./watch.js";
import { Call, type Step } from "./workflow.js";

/** How a client is made. */
export interface ClientOptions extends GatewayOptions, ReadOptions {
  /** Where the client, and workers on it, log to: stderr by default. */
  logger?: Logger;
}

/** How a wait is made. */
export interface WaitSettings extends CallSettings {
  /** In milliseconds; then it fails by a TimeoutError, and the task goes on. By default it waits for ever. */
  timeout?: number;
}

/** Which tasks to list. What is set must all hold. Naming states makes it cheap. */
export interface Filter extends CallSettings {
  states?: State[];
  names?: string[];
  queues?: string[];
  workerIds?: string[];
  errorKinds?: Kind[];
  /** At this time or later. */
  createdAfter?: Date;
  createdBefore?: Date;
  /** Stamped with at least one of these values, under each name. */
  stamps?: Record<string, Label[]>;
  /** Submitted by this task. */
  parentTaskId?: string;
  /** Tasks that one call reads: 50 by default. */
  pageSize?: number;
}

/** What a revocation does to tasks that run. */
export interface RevokeSettings extends CallSettings {
  /** `pending-only` (the default): it goes on; `cancel`: it is told; `terminate`: it is told, and killed after the grace. */
  mode?: "pending-only" | "cancel" | "terminate";
  /** Why; shown as the task's cancel reason. */
  reason?: string;
  /** `terminate`: in milliseconds. */
  grace?: number;
  /** `terminate`: the signal that is sent to its process first, for example "SIGTERM". */
  signalName?: string;
}

type Outcomes<E extends object> = Exclude<keyof E, "UNSPECIFIED">;

const modes = { "pending-only": Mode.PENDING_ONLY, cancel: Mode.CANCEL, terminate: Mode.TERMINATE };

/** Submits tasks to a gateway, reads, waits for, watches and revokes them. A program needs one. */
export class Client {
  /** @internal */
  readonly gateway: Gateway;
  /** @internal */
  readonly reading: ReadOptions;
  /** @internal */
  readonly logger: Logger;

  /**
   * It connects at the first call, and again after the gateway was away.
   *
   * @throws InvalidOption; and what reading files of TLS and tokens throws.
   */
  constructor(options: ClientOptions = {}) {
    this.gateway = new Gateway(options);
    this.reading = { exactDoubles: options.exactDoubles ?? false };
    this.logger = options.logger ?? logToStderr;
  }

  /** Ends the connection and what is under way on it. */
  close(): void {
    this.gateway.close();
  }

  /** The handle of a task by its id; the gateway is not asked. */
  handle<R = unknown>(id: string): Handle<R> {
    return new Handle<R>(this, id);
  }

  /**
   * Has a task, or a workflow, run. Once it resolves, all of it is kept as durably as the gateway says. A submit that is repeated
   * after an outage, or by you with the same id, is one task.
   */
  async submit<R>(step: Step<R>, { signal }: CallSettings = {}): Promise<Handle<R>> {
    if (!(step instanceof Call && step.isPlain)) {
      return new Handle<R>(this, await submitWorkflow(this.gateway, step, signal));
    }
    const task = specOf(step.name, step.args, step.options, this.gateway.propagation);
    return this.submitted<R>(await this.gateway.call(TaskService.method.submitTask, { task }, signal));
  }

  /** @internal */
  submitted<R>({ task, disposition }: SubmitTaskResponse): Handle<R> {
    const isNew = disposition === SubmitDisposition.CREATED || disposition === SubmitDisposition.REPLACED;
    return new Handle<R>(this, task?.taskId ?? "", isNew);
  }

  /**
   * Has many tasks run, in order, in as few messages as their number and size allow. Each is accepted or refused for itself.
   *
   * @throws BatchError where some were not accepted; its `results` tell each.
   */
  submitMany<R>(calls: Iterable<Call<R>>, { signal }: CallSettings = {}): Promise<Handle<R>[]> {
    return submitMany(this, calls, signal);
  }

  /**
   * Submits and waits, in one round trip where it is quick; gives what it returned.
   *
   * @throws TaskFailed when the task ended without success; TimeoutError.
   */
  async run<R>(step: Step<R>, settings: WaitSettings = {}): Promise<R> {
    return this.resultOf(await this.runTask(step, settings), settings);
  }

  /** As {@link Client.run}, but gives the task, however it ended. */
  async runTask<R>(step: Step<R>, settings: WaitSettings = {}): Promise<Task<R>> {
    const left = countdown(settings.timeout);
    if (!(step instanceof Call && step.isPlain)) {
      const { id } = await this.submit(step, settings);
      return this.wait<R>(id, { ...settings, timeout: left() });
    }
    const wait = Math.min(longestWait, left());
    const task = specOf(step.name, step.args, step.options, this.gateway.propagation);
    const request = { task, maxWait: durationFromMs(Math.round(wait)) };
    const timeout = wait + attemptTimeout;
    const response = await this.gateway.call(TaskService.method.runTask, request, settings.signal, timeout);
    if (response.done) {
      return new Task<R>(response.task!, this.reading);
    }
    return this.wait<R>(response.task!.taskId, { ...settings, timeout: left() });
  }

  /**
   * Reads a task as it stands.
   *
   * @throws TaskNotFound
   */
  async get<R = unknown>(id: string, { signal }: CallSettings = {}): Promise<Task<R>> {
    const request = { taskId: id, view: TaskView.FULL };
    const { task } = await this.gateway.call(TaskService.method.getTask, request, signal);
    return new Task<R>(task!, this.reading);
  }

  /** Reads many tasks, with results, in as few calls as their size allows; `missing` are the ids of which there is no task. */
  async getMany(ids: readonly string[], { signal }: CallSettings = {}): Promise<{ tasks: Task[]; missing: string[] }> {
    const tasks: Task[] = [];
    const missing: string[] = [];
    let left = [...ids];
    while (left.length > 0) {
      const request = { taskIds: left.slice(0, batchItems), view: TaskView.FULL };
      const page = await this.gateway.call(TaskService.method.batchGetTasks, request, signal);
      tasks.push(...page.tasks.map((task) => new Task(task, this.reading)));
      missing.push(...page.missingTaskIds);
      left = [...page.unreadTaskIds, ...left.slice(batchItems)];
    }
    return { tasks, missing };
  }

  /** Waits until a task has ended, through outages of the gateway. That it failed is no error here: see {@link Task.result}. */
  async wait<R = unknown>(id: string, { timeout, signal }: WaitSettings = {}): Promise<Task<R>> {
    const left = countdown(timeout);
    const pause = new Delays();
    for (;;) {
      const wait = Math.min(longestWait, left());
      const request = { taskId: id, maxWait: durationFromMs(Math.round(wait)), view: TaskView.FULL };
      try {
        const response = await this.gateway.attempt(TaskService.method.waitTask, request, wait + attemptTimeout, signal);
        if (response.done) {
          return new Task<R>(response.task!, this.reading);
        }
        pause.reset();
      } catch (error) {
        if (!this.gateway.mayRetry(error)) {
          throw error;
        }
        await sleep(Math.min(pause.next(), left()), signal);
      }
      if (left() <= 0) {
        throw new TimeoutError(`task ${id} has not ended within ${timeout! / 1000} s; it goes on`);
      }
    }
  }

  /** @internal Of a group it is the list of its members' results. */
  async resultOf<R>(task: Task<R>, { signal }: CallSettings = {}): Promise<R> {
    if (!task.message.collected || task.state !== "SUCCEEDED") {
      return task.result;
    }
    const results: unknown[] = [];
    let pageToken = "";
    do {
      const { workflowId, nodeId: collectNodeId } = task.message;
      const request = { workflowId, collectNodeId, view: TaskView.FULL, pageSize: 250, pageToken };
      const page = await this.gateway.call(WorkflowService.method.listWorkflowNodes, request, signal);
      for (const node of page.nodes) {
        results.push(await this.resultOf(new Task(node.task!, this.reading), signal ? { signal } : {}));
      }
      pageToken = page.nextPageToken;
    } while (pageToken);
    return results as R;
  }

  /**
   * Tells of tasks as they are, then of each change, until all have ended. A broken stream is taken up again where it broke. It
   * fails when the signal is aborted, the gateway refuses, or was away for longer than `retryFor`.
   */
  watch(ids: readonly string[], settings: CallSettings = {}): AsyncGenerator<WatchEvent, void, undefined> {
    return watch(this.gateway, ids, this.reading, settings.signal);
  }

  /** Lists tasks, page after page as they are wanted, without arguments and results. */
  async *list(filter: Filter = {}): AsyncGenerator<Task, void, undefined> {
    const { states = [], errorKinds = [], createdAfter, createdBefore } = filter;
    const chosen = create(TaskFilterSchema, {
      states: states.map((state) => named(Task_State, state)),
      names: filter.names ?? [],
      queues: filter.queues ?? [],
      workerIds: filter.workerIds ?? [],
      errorKinds: errorKinds.map((kind) => named(TaskError_Kind, kind)),
      stamps: stampsOf(filter.stamps ?? {}),
      parentTaskId: filter.parentTaskId ?? "",
      ...(createdAfter && { createdAfter: timestampFromDate(createdAfter) }),
      ...(createdBefore && { createdBefore: timestampFromDate(createdBefore) }),
    });
    let pageToken = "";
    do {
      const request = { filter: chosen, pageSize: filter.pageSize ?? 0, pageToken };
      const page = await this.gateway.call(TaskService.method.listTasks, request, filter.signal);
      for (const task of page.tasks) {
        yield new Task(task, this.reading);
      }
      pageToken = page.nextPageToken;
    } while (pageToken);
  }

  /** Revokes tasks. It works with no worker up; a task that has not started never starts. The outcomes are in the ids' order. */
  revoke(ids: readonly string[], settings: RevokeSettings = {}): Promise<Outcomes<typeof RevokeOutcome>[]> {
    const { mode = "pending-only", reason = "", grace, signalName = "", signal } = settings;
    return this.each(ids, async (selector) => {
      const how = {
        mode: modes[mode],
        reason,
        signal: signalName,
        grace: grace === undefined ? undefined : durationFromMs(grace),
      };
      const { results } = await this.gateway.call(TaskService.method.revokeTasks, { selector, ...how }, signal);
      return results.map(({ outcome }) => RevokeOutcome[outcome] as Outcomes<typeof RevokeOutcome>);
    });
  }

  /** Sends tasks that ended without success back to their queues, each under its id and as it was submitted. */
  retry(ids: readonly string[], { signal }: CallSettings = {}): Promise<Outcomes<typeof RetryOutcome>[]> {
    return this.each(ids, async (selector) => {
      const { results } = await this.gateway.call(TaskService.method.retryTasks, { selector }, signal);
      return results.map(({ outcome }) => RetryOutcome[outcome] as Outcomes<typeof RetryOutcome>);
    });
  }

  /** Forgets ended tasks with their results. */
  delete(ids: readonly string[], { signal }: CallSettings = {}): Promise<Outcomes<typeof DeleteOutcome>[]> {
    return this.each(ids, async (selector) => {
      const { results } = await this.gateway.call(TaskService.method.deleteTasks, { selector }, signal);
      return results.map(({ outcome }) => DeleteOutcome[outcome] as Outcomes<typeof DeleteOutcome>);
    });
  }

  private async each<O>(ids: readonly string[], call: (selector: { taskIds: string[] }) => Promise<O[]>): Promise<O[]> {
    const outcomes: O[] = [];
    for (let i = 0; i < ids.length; i += batchItems) {
      outcomes.push(...(await call({ taskIds: ids.slice(i, i + batchItems) })));
    }
    return outcomes;
  }
}

/** Counts a time down, in milliseconds; never below 0. */
function countdown(timeout: number | undefined): () => number {
  if (timeout !== undefined && !(timeout >= 0)) {
    throw new InvalidOption(`timeout is a number of milliseconds, not negative, not ${timeout}`);
  }
  const end = performance.now() + (timeout ?? Infinity);
  return () => Math.max(0, end - performance.now());
}

/** The value of an enum by its name. */
function named<N extends string, V>(of: { readonly [K in N]: V }, name: N): V {
  const names = Object.keys(of).filter((key) => Number.isNaN(Number(key)) && key !== "UNSPECIFIED");
  if (!names.includes(name)) {
    throw new InvalidOption(`${name} is none of ${names.join(", ")}`);
  }
  return of[name];
}
