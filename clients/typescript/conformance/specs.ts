/** Tasks and workflows, as requests have them. */
import { call, chain, chord, group, parse, type Call, type CallOptions, type Step, type Unique } from "@caraway/client";
import { ms } from "./lines.js";

export interface Spec {
  name: string;
  args?: string;
  kwargs?: string;
  task_id?: string;
  queue?: string;
  priority?: number;
  delay?: number;
  schedule_time?: string;
  ttl?: number;
  expire_time?: string;
  headers?: Record<string, string>;
  ignore_result?: boolean;
  result_ttl?: number;
  time_limits?: { soft?: number; hard?: number };
  ack_mode?: "ON_START" | "ON_FINISH";
  unique?: { key: string; window?: number; on_conflict?: string };
  retry_policy?: {
    max_attempts?: number;
    initial_backoff?: number;
    max_backoff?: number;
    backoff_multiplier?: number;
    jitter_ratio?: number;
    retryable_error_types?: string[];
    non_retryable_error_types?: string[];
  };
}

export type Canvas = { task: Spec } | { chain: Canvas[] } | { group: Canvas[] } | { chord: { header: Canvas[]; body: Canvas } };

const exact = { exactDoubles: true };

export function callOf(spec: Spec): Call {
  const args = spec.args === undefined ? [] : (parse(spec.args, exact) as unknown[]);
  return call(spec.name, args, optionsOf(spec));
}

function optionsOf(spec: Spec): CallOptions {
  const { retry_policy: policy, unique } = spec;
  return {
    id: spec.task_id,
    kwargs: spec.kwargs === undefined ? {} : (parse(spec.kwargs, exact) as Record<string, unknown>),
    queue: spec.queue,
    priority: spec.priority,
    delay: ms(spec.delay),
    startAt: dateOf(spec.schedule_time),
    ttl: ms(spec.ttl),
    expireAt: dateOf(spec.expire_time),
    headers: spec.headers,
    ignoreResult: spec.ignore_result,
    resultTtl: ms(spec.result_ttl),
    softTimeLimit: ms(spec.time_limits?.soft),
    hardTimeLimit: ms(spec.time_limits?.hard),
    atMostOnce: spec.ack_mode && spec.ack_mode === "ON_START",
    unique: unique && {
      key: unique.key,
      window: ms(unique.window),
      onConflict: unique.on_conflict?.toLowerCase().replaceAll("_", "-") as Unique["onConflict"],
    },
    retry: policy && {
      maxAttempts: policy.max_attempts,
      initialBackoff: ms(policy.initial_backoff),
      maxBackoff: ms(policy.max_backoff),
      backoffMultiplier: policy.backoff_multiplier,
      jitterRatio: policy.jitter_ratio,
      retryOn: policy.retryable_error_types,
      neverRetryOn: policy.non_retryable_error_types,
    },
  };
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

export function stepOf(canvas: Canvas): Step {
  if ("task" in canvas) {
    return callOf(canvas.task);
  }
  if ("chain" in canvas) {
    return chain(...(canvas.chain.map(stepOf) as [Step]));
  }
  if ("group" in canvas) {
    return group(canvas.group.map(stepOf));
  }
  return chord(canvas.chord.header.map(stepOf), stepOf(canvas.chord.body));
}
