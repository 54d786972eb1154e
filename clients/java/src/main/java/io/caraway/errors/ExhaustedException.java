package io.caraway.errors;

import java.util.Map;

/** A queue, a workflow or the store holds as much as it may. */
public class ExhaustedException extends RequestException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one of a gateway's refusal.
   *
   * @param message what went wrong
   * @param cause why, or null
   * @param code the name of the gRPC status code
   * @param reason a name of the contract's ErrorReason, empty where there is none
   * @param metadata what the reason is about
   */
  public ExhaustedException(String message, Throwable cause, String code, String reason, Map<String, String> metadata) {
    super(message, cause, code, reason, metadata);
  }
}
