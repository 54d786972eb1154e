package io.caraway.worker;

import io.caraway.errors.CarawayException;
import java.util.Set;

/** Which failures of calls are for good. */
final class WorkerCalls {
  // Not UNAUTHENTICATED: outcomes of tasks are kept until the gateway's tokens, or the worker's, have been put right.
  private static final Set<String> FINAL =
      Set.of("INVALID_ARGUMENT", "UNIMPLEMENTED", "FAILED_PRECONDITION", "OUT_OF_RANGE", "PERMISSION_DENIED");

  private WorkerCalls() {}

  /** Whether it will be answered the same however often it is asked. */
  static boolean isFinal(CarawayException error) {
    return FINAL.contains(error.code());
  }
}
