/** Errors as they come over the wire. */
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { CarawayError, GatewayError, reasons } from "./errors.js";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema, type Status } from "./gen/google/rpc/status_pb.js";

/** Makes the error of a refusal. */
export function fromStatus(given: Status): GatewayError {
  let reason = "";
  let metadata: Record<string, string> = {};
  for (const detail of given.details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info?.domain === "caraway") {
      ({ reason, metadata } = info);
    }
  }
  const made = reasons[reason] ?? GatewayError;
  return new made(given.message, given.code, reason, metadata);
}

/** Makes the error of a call that failed, of what gRPC gave. */
export function fromRpc(error: unknown): Error {
  const given = error as { code?: number; details?: string; metadata?: { get(key: string): unknown[] } };
  if (error instanceof CarawayError || typeof given.code !== "number") {
    return error instanceof Error ? error : new CarawayError(String(error));
  }
  const details = given.metadata?.get("grpc-status-details-bin")[0];
  if (details instanceof Uint8Array) {
    return fromStatus(fromBinary(StatusSchema, details));
  }
  return new GatewayError(given.details ?? String(error), given.code, "", {}, { cause: error });
}
