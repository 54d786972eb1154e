package io.caraway.errors;

import java.util.Map;

/**
 * Base of all exceptions of this library.
 *
 * <pre>
 * CarawayException
 * ├── OperationalException         the gateway, or its store, stays away
 * ├── WaitTimeoutException         a wait took too long; the task goes on
 * ├── PayloadException             a value can't be written or read
 * ├── InvalidOptionException       this library refuses an option, a target or a file
 * ├── RequestException             the gateway refused a call
 * │   ├── NotFoundException        no task, queue, worker or workflow of this name
 * │   ├── ConflictException        the id, or the uniqueness key, belongs to another task
 * │   ├── InvalidRequestException  a field, a payload or a graph is not as the contract wants it
 * │   ├── ExhaustedException       a queue, a workflow or the store is full
 * │   └── UnauthenticatedException no token, or none that the gateway knows
 * └── TaskException                a task ended without success
 *     ├── TaskFailedException      its code failed, its worker was lost, a limit struck ...
 *     ├── TaskRevokedException
 *     ├── TaskExpiredException
 *     └── TaskRejectedException
 * </pre>
 *
 * <p>What a gateway refuses has a {@link #reason()}, a name of the contract's ErrorReason without its prefix, for example
 * {@code TASK_NOT_FOUND}, and {@link #metadata()}, for example {@code task_id}.
 */
public class CarawayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Of gRPC. */
  private final String code;
  /** Of the contract. */
  private final String reason;
  private final transient Map<String, String> metadata;

  /**
   * Makes one that did not come from a gateway.
   *
   * @param message what went wrong
   * @param cause why, or null
   */
  public CarawayException(String message, Throwable cause) {
    this(message, cause, "", "", Map.of());
  }

  /**
   * Makes one of a gateway's refusal.
   *
   * @param message what went wrong
   * @param cause why, or null
   * @param code the name of the gRPC status code, empty where there is none
   * @param reason a name of the contract's ErrorReason, empty where there is none
   * @param metadata what the reason is about
   */
  public CarawayException(String message, Throwable cause, String code, String reason, Map<String, String> metadata) {
    super(message, cause);
    this.code = code;
    this.reason = reason;
    this.metadata = Map.copyOf(metadata);
  }

  /**
   * The name of the gRPC status code.
   *
   * @return for example {@code NOT_FOUND}; empty where no call was refused
   */
  public String code() {
    return code;
  }

  /**
   * Why the gateway refused.
   *
   * @return for example {@code TASK_NOT_FOUND}; empty where no gateway gave a reason
   */
  public String reason() {
    return reason;
  }

  /**
   * What the reason is about.
   *
   * @return for example the {@code task_id}; empty where there is nothing
   */
  public Map<String, String> metadata() {
    return metadata == null ? Map.of() : metadata;
  }
}
