package io.caraway.worker;

/** How much the gateway may send: cumulative allowances on one stream. They never shrink: to take less, nothing is granted. */
final class Credit {
  private static final long MOST_BYTES = 32L * 1024 * 1024;
  /** A grant for every ended task would double the messages: a quarter of the whole is soon enough. */
  private static final int PARTS = 4;

  private long leaseAllowance;
  private long byteAllowance;
  private long leases;
  private long bytes;

  void receive(int count, long size) {
    leases += count;
    bytes += size;
  }

  /**
   * Grants what is missing.
   *
   * @param wanted how many leases should be held
   * @param held how many are
   * @param heldBytes their size
   * @return true: the allowances grew by enough to be worth a message
   */
  boolean grow(int wanted, int held, long heldBytes) {
    long leaseRoom = wanted - held - (leaseAllowance - leases);
    long byteRoom = MOST_BYTES - heldBytes - (byteAllowance - bytes);
    boolean fewBytes = byteRoom * PARTS < MOST_BYTES;
    if (fewBytes && (leaseRoom * PARTS < wanted || leaseRoom <= 0)) {
      return false;
    }
    leaseAllowance += Math.max(0, leaseRoom);
    byteAllowance += Math.max(0, byteRoom);
    return true;
  }

  io.caraway.v1.Credit toProto() {
    return io.caraway.v1.Credit.newBuilder().setLeaseAllowance(leaseAllowance).setByteAllowance(byteAllowance).build();
  }
}
