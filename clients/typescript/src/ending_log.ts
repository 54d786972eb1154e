/** What a worker logs of tasks that have ended. */
import type { Delivery } from "./delivery.js";
import type { TaskReport } from "./gen/caraway/v1/worker_service_pb.js";
import type { Logger } from "./logger.js";

export function named(d: Delivery): string {
  return `task ${d.spec.taskId} (${d.spec.name})`;
}

export function logEnd(logger: Logger, d: Delivery, { report: outcome }: TaskReport): void {
  if (outcome.case !== "failed" && outcome.case !== "retry") {
    logger.debug(`${named(d)}: ${outcome.case}`);
    return;
  }
  const { error } = outcome.value;
  const why = `${error?.type}: ${error?.message}`;
  if (outcome.case === "failed") {
    logger.error(`${named(d)} failed: ${why}`);
  } else {
    logger.warn(`${named(d)} asks for its retry: ${why}`);
  }
  logger.debug(error?.traceback ?? "");
}
