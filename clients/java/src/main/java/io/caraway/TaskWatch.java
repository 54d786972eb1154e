package io.caraway;

import io.caraway.errors.CarawayException;
import io.caraway.errors.OperationalException;
import io.caraway.internal.Backoff;
import io.caraway.internal.Caller;
import io.caraway.internal.Refusals;
import io.caraway.v1.TaskSelector;
import io.caraway.v1.TaskServiceGrpc;
import io.caraway.v1.WatchTasksRequest;
import io.caraway.v1.WatchTasksResponse;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * Follows tasks until all have ended; a stream that breaks is taken up again where it broke. For one thread; close it to
 * stop early, from any thread.
 */
public final class TaskWatch implements Iterator<TaskUpdate>, AutoCloseable {
  private final Caller caller;
  private final Duration retryFor;
  private final Context.CancellableContext context = Context.current().withCancellation();
  private WatchTasksRequest request;
  private Iterator<WatchTasksResponse> responses;
  private WatchTasksResponse next;
  private Backoff backoff = Caller.backoff();
  private long deadline;

  TaskWatch(Caller caller, Duration retryFor, Collection<String> taskIds) {
    this.caller = caller;
    this.retryFor = retryFor;
    this.request =
        WatchTasksRequest.newBuilder()
            .setSelector(TaskSelector.newBuilder().addAllTaskIds(taskIds))
            .setUntilTerminal(true)
            .build();
    this.deadline = System.nanoTime() + retryFor.toNanos();
  }

  /**
   * Waits for the next update.
   *
   * @return false: all tasks have ended
   * @throws CarawayException where the gateway refuses, stays away for longer than calls are retried, or this was closed
   */
  @Override
  public boolean hasNext() {
    while (next == null) {
      try {
        if (responses == null) {
          responses = context.call(() -> ClientCalls.blockingServerStreamingCall(
              caller.channel(), TaskServiceGrpc.getWatchTasksMethod(), CallOptions.DEFAULT, request));
        }
        if (!responses.hasNext()) {
          return false;
        }
        take(responses.next());
      } catch (StatusRuntimeException failure) {
        await(Refusals.of(failure));
      } catch (CarawayException refusal) {
        throw refusal;
      } catch (Exception failure) {
        throw Refusals.of(failure);
      }
    }
    return true;
  }

  private void take(WatchTasksResponse response) {
    next = response;
    backoff = Caller.backoff();
    deadline = System.nanoTime() + retryFor.toNanos();
    if (!response.getResumeToken().isEmpty()) {
      request = request.toBuilder().setResumeToken(response.getResumeToken()).build();
    }
  }

  private void await(CarawayException error) {
    responses = null;
    Duration delay = backoff.next();
    boolean over = deadline - System.nanoTime() <= delay.toNanos();
    if (!(error instanceof OperationalException) || context.isCancelled() || over) {
      throw error;
    }
    caller.reconnect();
    Caller.join(Caller.after(delay));
  }

  @Override
  public TaskUpdate next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    WatchTasksResponse response = next;
    next = null;
    WatchTasksResponse.Bookmark bookmark = response.getBookmark();
    return new TaskUpdate(
        response.hasTask() ? new TaskInfo(response.getTask()) : null,
        bookmark.getSnapshotComplete(),
        bookmark.getGap(),
        bookmark.getMissingTaskIdsList());
  }

  /** Stops watching. */
  @Override
  public void close() {
    context.cancel(null);
  }
}
