package io.caraway.internal;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.caraway.errors.CarawayException;
import io.caraway.errors.ConflictException;
import io.caraway.errors.ExhaustedException;
import io.caraway.errors.InvalidRequestException;
import io.caraway.errors.NotFoundException;
import io.caraway.errors.OperationalException;
import io.caraway.errors.RequestException;
import io.caraway.errors.UnauthenticatedException;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.Map;

/** From the gateway's refusals (google.rpc.Status) to exceptions. Each reason comes with one status code, so that decides. */
public final class Refusals {
  private static final String DOMAIN = "caraway";
  private static final ErrorInfo NONE = ErrorInfo.getDefaultInstance();

  private Refusals() {}

  /** Makes the exception for a refusal among a batch's answers. */
  public static CarawayException of(com.google.rpc.Status status) {
    ErrorInfo info = info(status);
    Status.Code code = Status.fromCodeValue(status.getCode()).getCode();
    return make(code, status.getMessage(), info, null);
  }

  /** Makes the exception for a failed call. */
  public static CarawayException of(Throwable failure) {
    if (failure instanceof CarawayException known) {
      return known;
    }
    Status status = Status.fromThrowable(failure);
    com.google.rpc.Status details = StatusProto.fromThrowable(failure);
    ErrorInfo info = details == null ? NONE : info(details);
    Throwable deepest = failure;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String text = status.getDescription() == null ? status.getCode().name() : status.getDescription();
    String why = deepest == failure || deepest.getMessage() == null ? "" : ": " + deepest.getMessage();
    return make(status.getCode(), text + why, info, failure);
  }

  /** Gives the reason of a status; empty where it has none. */
  public static String reason(com.google.rpc.Status status) {
    return info(status).getReason();
  }

  private static ErrorInfo info(com.google.rpc.Status status) {
    for (Any detail : status.getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        try {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          if (info.getDomain().equals(DOMAIN)) {
            return info;
          }
        } catch (InvalidProtocolBufferException error) {
          return NONE;
        }
      }
    }
    return NONE;
  }

  private static CarawayException make(Status.Code code, String message, ErrorInfo info, Throwable cause) {
    String reason = info.getReason();
    Map<String, String> metadata = info.getMetadataMap();
    String name = code.name();
    boolean explained = !reason.isEmpty();
    return switch (code) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED ->
          new OperationalException(message, cause, name, reason, metadata);
      case NOT_FOUND -> new NotFoundException(message, cause, name, reason, metadata);
      case ALREADY_EXISTS -> new ConflictException(message, cause, name, reason, metadata);
      case INVALID_ARGUMENT -> new InvalidRequestException(message, cause, name, reason, metadata);
      // Without a reason it is gRPC's word for a message that is too large.
      case RESOURCE_EXHAUSTED -> explained
          ? new ExhaustedException(message, cause, name, reason, metadata)
          : new InvalidRequestException(message, cause, name, reason, metadata);
      case UNAUTHENTICATED -> new UnauthenticatedException(message, cause, name, reason, metadata);
      default -> new RequestException(message, cause, name, reason, metadata);
    };
  }
}
