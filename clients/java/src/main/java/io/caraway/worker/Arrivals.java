package io.caraway.worker;

import io.caraway.errors.CarawayException;
import io.caraway.internal.Backoff;
import io.caraway.internal.Caller;
import io.caraway.internal.Refusals;
import io.caraway.v1.GetInputsRequest;
import io.caraway.v1.GetInputsResponse;
import io.caraway.v1.TaskError;
import io.caraway.v1.TaskReport;
import io.caraway.v1.WorkerServiceGrpc;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Deliveries whose inputs are still being read: held like all others, but no slot's yet. In the supervisor's thread only. */
final class Arrivals {
  /** Who is told what becomes of them. */
  interface Owner {
    /** It has all its inputs, and can run. */
    void onArrived(Delivery delivery);

    /** It ended before it could run. */
    void onEnded(Delivery delivery, TaskReport report);
  }

  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(20);

  private final Caller caller;
  private final Owner owner;
  private final Loop loop;
  private final Map<String, Delivery> reading = new HashMap<>();

  Arrivals(Caller caller, Owner owner, Loop loop) {
    this.caller = caller;
    this.owner = owner;
    this.loop = loop;
  }

  int count() {
    return reading.size();
  }

  List<Delivery> all() {
    return List.copyOf(reading.values());
  }

  /** Reads the inputs of one that has more. */
  void take(Delivery delivery) {
    reading.put(delivery.token, delivery);
    read(delivery, "", new Backoff(0.1, 2.0, 0.5));
  }

  /** Gives it up; false: it is none of these. */
  boolean forget(Delivery delivery) {
    return reading.remove(delivery.token) != null;
  }

  private void read(Delivery delivery, String page, Backoff backoff) {
    if (!reading.containsKey(delivery.token)) {
      return;
    }
    GetInputsRequest request =
        GetInputsRequest.newBuilder()
            .setTaskId(delivery.taskId)
            .setLeaseToken(delivery.token)
            .setPageToken(page)
            .build();
    caller.once(WorkerServiceGrpc.getGetInputsMethod(), request, CALL_TIMEOUT).whenComplete((response, failure) -> {
      if (failure == null) {
        take(delivery, response, backoff);
        return;
      }
      CarawayException error = Refusals.of(failure);
      if (!WorkerCalls.isFinal(error)) {
        // A lease that is lost meanwhile is told by the stream.
        loop.schedule(backoff.next(), () -> read(delivery, page, backoff));
      } else if (forget(delivery)) {
        owner.onEnded(delivery, Reports.forGood(
            delivery, TaskError.Kind.KIND_PAYLOAD, "the task's inputs can't be read: " + error.getMessage()));
      }
    });
  }

  private void take(Delivery delivery, GetInputsResponse response, Backoff backoff) {
    delivery.lease = delivery.lease.toBuilder().addAllInputs(response.getInputsList()).build();
    backoff.reset();
    if (!response.getNextPageToken().isEmpty()) {
      read(delivery, response.getNextPageToken(), backoff);
    } else if (forget(delivery)) {
      // It could not be started before.
      delivery.received = System.nanoTime();
      owner.onArrived(delivery);
    }
  }
}
