package io.caraway.worker;

import io.caraway.v1.GetServerInfoResponse;

/**
 * What the gateway takes.
 *
 * @param payloadBytes largest result
 * @param messageBytes largest message
 * @param batchSize most reports in a call
 */
record Limits(long payloadBytes, long messageBytes, int batchSize) {
  static final Limits DEFAULT = new Limits(3 * 1024 * 1024, 4 * 1024 * 1024, 500);

  /** What it does not say keeps its default. */
  static Limits of(GetServerInfoResponse info) {
    return new Limits(
        info.getMaxPayloadBytes() > 0 ? info.getMaxPayloadBytes() : DEFAULT.payloadBytes,
        info.getMaxMessageBytes() > 0 ? info.getMaxMessageBytes() : DEFAULT.messageBytes,
        info.getMaxBatchSize() > 0 ? info.getMaxBatchSize() : DEFAULT.batchSize);
  }
}
