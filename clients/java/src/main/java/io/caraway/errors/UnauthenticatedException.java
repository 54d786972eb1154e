package io.caraway.errors;

import java.util.Map;

/** The call carried no token, or none that the gateway knows. */
public class UnauthenticatedException extends RequestException {
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
  public UnauthenticatedException(String message, Throwable cause, String code, String reason, Map<String, String> metadata) {
    super(message, cause, code, reason, metadata);
  }
}
