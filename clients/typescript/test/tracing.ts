/** OpenTelemetry's context in the headers of tasks, as the library's documentation has it. */
import { context, propagation as otel } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Propagation } from "@caraway/client";

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
otel.setGlobalPropagator(new W3CTraceContextPropagator());

export const propagation: Propagation = {
  inject: (headers) => otel.inject(context.active(), headers),
  run: (headers, handler) => context.with(otel.extract(context.active(), headers), handler),
};
