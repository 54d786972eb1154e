/** What requests are answered. */
import { GatewayError, InvalidOption, PayloadError, stringify, TaskFailed, TimeoutError, type Task } from "@caraway/client";

/** The members of a task. */
export function taskObject(task: Task): object {
  const { progress, error } = task;
  return {
    task_id: task.id,
    state: task.state,
    name: task.name,
    queue: task.queue,
    priority: task.priority,
    attempt: task.attempt,
    delivery_count: task.deliveryCount,
    lost_count: task.lostCount,
    revision: task.revision,
    custom_state: task.customState || undefined,
    cancel_reason: task.cancelReason || undefined,
    progress: progress === undefined ? undefined : stringify(progress),
    result: task.hasResult ? stringify(task.result) : undefined,
    error: error && errorObject(error),
  };
}

function errorObject({ kind, type, reason, language, failedTaskId }: TaskFailed): object {
  return { kind, type, message: reason, language, failed_task_id: failedTaskId || undefined };
}

/** The members of an answer's error. */
export function failureOf(error: unknown): object {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TaskFailed) {
    return { code: "TASK", state: error.state, ...errorObject(error) };
  }
  if (error instanceof GatewayError) {
    return { code: error.codeName, reason: error.reason, metadata: error.metadata, message };
  }
  const codes = [
    [TimeoutError, "TIMEOUT"],
    [PayloadError, "PAYLOAD"],
    [InvalidOption, "INVALID"],
  ] as const;
  const code = codes.find(([kind]) => error instanceof kind)?.[1] ?? "UNEXPECTED";
  return { code, message: code === "UNEXPECTED" && error instanceof Error ? error.stack : message };
}
