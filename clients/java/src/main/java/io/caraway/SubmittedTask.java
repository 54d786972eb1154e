package io.caraway;

import com.fasterxml.jackson.core.type.TypeReference;
import io.caraway.errors.CarawayException;
import io.caraway.errors.TaskException;
import io.caraway.errors.WaitTimeoutException;
import io.caraway.internal.Caller;
import io.caraway.payload.Payloads;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A task that a gateway has accepted: waits for its result, and asks how it stands. For any number of threads. */
public final class SubmittedTask {
  private final CarawayClient client;
  private final String id;

  SubmittedTask(CarawayClient client, String id) {
    this.client = client;
    this.id = id;
  }

  /**
   * Its identity.
   *
   * @return its id
   */
  public String id() {
    return id;
  }

  /**
   * Waits for what it returns.
   *
   * @param type the type that is wanted
   * @param timeout how long to wait; null: for ever
   * @param <T> the type that is wanted
   * @return the value; of a group a list
   * @throws TaskException where it ended without success
   * @throws WaitTimeoutException where the time is over; the task goes on
   * @throws CarawayException where the gateway refuses
   */
  public <T> T get(Class<T> type, Duration timeout) {
    return Caller.join(getAsync(type, timeout));
  }

  /**
   * Waits for what it returns, as a generic type.
   *
   * @param type the type that is wanted, for example {@code new TypeReference<List<Point>>() {}}
   * @param timeout how long to wait; null: for ever
   * @param <T> the type that is wanted
   * @return the value; of a group a list
   * @throws TaskException where it ended without success
   * @throws WaitTimeoutException where the time is over; the task goes on
   * @throws CarawayException where the gateway refuses
   */
  public <T> T get(TypeReference<T> type, Duration timeout) {
    return Caller.join(getAsync(type, timeout));
  }

  /**
   * As {@link #get(Class, Duration)}.
   *
   * @param type the type that is wanted
   * @param timeout how long to wait; null: for ever
   * @param <T> the type that is wanted
   * @return the value to come; cancelling it ends the wait, not the task
   */
  public <T> CompletableFuture<T> getAsync(Class<T> type, Duration timeout) {
    return client.outcome(id, timeout).thenApply(plain -> Payloads.convert(plain, type));
  }

  /**
   * As {@link #get(TypeReference, Duration)}.
   *
   * @param type the type that is wanted
   * @param timeout how long to wait; null: for ever
   * @param <T> the type that is wanted
   * @return the value to come
   */
  public <T> CompletableFuture<T> getAsync(TypeReference<T> type, Duration timeout) {
    return client.outcome(id, timeout).thenApply(plain -> Payloads.convert(plain, type));
  }

  /**
   * Waits for its end, however that is.
   *
   * @param timeout how long to wait; null: for ever
   * @return how it ended
   * @throws WaitTimeoutException where the time is over; the task goes on
   */
  public TaskInfo await(Duration timeout) {
    return client.await(id, timeout);
  }

  /**
   * As {@link #await}.
   *
   * @param timeout how long to wait; null: for ever
   * @return how it ended
   */
  public CompletableFuture<TaskInfo> awaitAsync(Duration timeout) {
    return client.awaitAsync(id, timeout);
  }

  /**
   * Reads how it stands.
   *
   * @return the task, with progress and result
   */
  public TaskInfo info() {
    return client.get(id);
  }

  /**
   * Revokes it where it has not started.
   *
   * @return what became of it
   */
  public RevokeOutcome revoke() {
    return revoke(RevokeOptions.PENDING_ONLY);
  }

  /**
   * Revokes it.
   *
   * @param options how
   * @return what became of it
   */
  public RevokeOutcome revoke(RevokeOptions options) {
    return client.revoke(List.of(id), options).get(0);
  }

  /**
   * Follows it until it has ended.
   *
   * @return the watch, to be closed
   */
  public TaskWatch watch() {
    return client.watch(List.of(id));
  }

  @Override
  public String toString() {
    return "SubmittedTask[" + id + "]";
  }
}
