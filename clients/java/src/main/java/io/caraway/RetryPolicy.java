package io.caraway;

import io.caraway.internal.Protos;
import java.time.Duration;
import java.util.List;

/** When a failed attempt is tried again by the gateway. Immutable. */
public final class RetryPolicy {
  private final io.caraway.v1.RetryPolicy policy;

  private RetryPolicy(io.caraway.v1.RetryPolicy policy) {
    this.policy = policy;
  }

  /**
   * Makes a policy of so many attempts: after 1 s, then twice as long each time, at most 10 min.
   *
   * @param attempts attempts in all; -1 retries for ever
   * @return the policy
   */
  public static RetryPolicy attempts(int attempts) {
    return new RetryPolicy(io.caraway.v1.RetryPolicy.newBuilder().setMaxAttempts(attempts).build());
  }

  /**
   * Sets the waits.
   *
   * @param initial before the second attempt
   * @param max none is longer
   * @param multiplier from one wait to the next, at least 1
   * @return a policy with these
   */
  public RetryPolicy backoff(Duration initial, Duration max, double multiplier) {
    return new RetryPolicy(
        policy.toBuilder()
            .setInitialBackoff(Protos.write(initial))
            .setMaxBackoff(Protos.write(max))
            .setBackoffMultiplier(multiplier)
            .build());
  }

  /**
   * Sets the part of each wait that is drawn by chance.
   *
   * @param ratio from 0 (none) to 1 (all of it)
   * @return a policy with it
   */
  public RetryPolicy jitter(double ratio) {
    return new RetryPolicy(policy.toBuilder().setJitterRatio(ratio).build());
  }

  /**
   * Retries only errors of these types.
   *
   * @param types full names, for example {@code java.io.IOException}
   * @return a policy with them
   */
  public RetryPolicy retryOn(List<String> types) {
    return new RetryPolicy(policy.toBuilder().clearRetryableErrorTypes().addAllRetryableErrorTypes(types).build());
  }

  /**
   * Never retries errors of these types.
   *
   * @param types full names, for example {@code java.lang.IllegalArgumentException}
   * @return a policy with them
   */
  public RetryPolicy neverOn(List<String> types) {
    return new RetryPolicy(
        policy.toBuilder().clearNonRetryableErrorTypes().addAllNonRetryableErrorTypes(types).build());
  }

  /**
   * The contract's message.
   *
   * @return the same
   */
  public io.caraway.v1.RetryPolicy toProto() {
    return policy;
  }
}
