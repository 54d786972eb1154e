/** How much work a worker asks for. */
const mostHeldBytes = 32 << 20;

/** Counts what came on one stream and says what may come. Allowances never shrink: to take less, nothing is granted. */
export class Credit {
  private leases = 0;
  private bytes = 0;
  leaseAllowance = 0;
  byteAllowance = 0;

  receive(leases: number, bytes: number): void {
    this.leases += leases;
    this.bytes += bytes;
  }

  /** Grants what is missing to the wanted number of leases, and tells whether that is worth a message. */
  grow(wanted: number, held: number, heldBytes: number): boolean {
    const leaseRoom = wanted - held - (this.leaseAllowance - this.leases);
    const byteRoom = mostHeldBytes - heldBytes - (this.byteAllowance - this.bytes);
    // A grant for every ended task would double the messages: a quarter of the whole is soon enough.
    const isWorthLeases = leaseRoom > 0 && leaseRoom * 4 >= wanted;
    const isWorthBytes = byteRoom * 4 >= mostHeldBytes;
    if (!isWorthLeases && !isWorthBytes) {
      return false;
    }
    this.leaseAllowance += Math.max(0, leaseRoom);
    this.byteAllowance += Math.max(0, byteRoom);
    return true;
  }
}

/**
 * A running average of run times, in milliseconds. It starts as if tasks were long, and learns within some tens that they are
 * short; one sample counts at most 50 ms, so that a single long task among short ones is soon forgotten.
 */
export class Pace {
  private mean = 0;

  add(run: number): void {
    this.mean ||= target;
    this.mean += (Math.min(run, target) - this.mean) / 8;
  }

  /** How many deliveries a slot should have, the running one included. */
  get perSlot(): number {
    return this.mean === 0 ? 1 : Math.max(1, Math.min(mostPerSlot, Math.floor(target / Math.max(this.mean, 0.001))));
  }
}

const target = 50; // milliseconds of work that a slot should have at hand
const mostPerSlot = 128;
