package io.caraway.internal;

import io.caraway.TaskCall;
import io.caraway.Tracing;
import io.caraway.payload.Payloads;
import io.caraway.v1.TaskSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From calls to the contract's specs: an id, the arguments, the context of the trace. */
public final class Specs {
  private final Tracing tracing;
  private final String encoding;

  /**
   * Makes them for one client.
   *
   * @param tracing what adds the trace's context to headers
   * @param encoding how arguments are compressed; empty: not
   */
  public Specs(Tracing tracing, String encoding) {
    this.tracing = tracing;
    this.encoding = encoding;
  }

  /** Writes a call that stands alone. */
  public TaskSpec alone(TaskCall call) {
    Map<String, String> headers = new HashMap<>(call.spec().getHeadersMap());
    Family.inherit(headers);
    TaskSpec spec = write(call, call.id().isEmpty() ? Ids.uuid7() : call.id(), List.of(), headers);
    return Family.parent().isEmpty() ? spec : spec.toBuilder().setParentTaskId(Family.parent()).build();
  }

  /** Writes a call with values that are known to stand before its own arguments, and headers beside its own. */
  public TaskSpec write(TaskCall call, String id, List<?> values, Map<String, String> headers) {
    List<Object> args = new ArrayList<>(values);
    args.addAll(call.args());
    tracing.inject(headers);
    return call.spec().toBuilder()
        .setTaskId(id)
        .putAllHeaders(headers)
        .setPayload(Payloads.writeArguments(args, call.kwargs(), encoding))
        .build();
  }
}
