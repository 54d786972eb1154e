/** Cuts lists of messages into parts that a call takes. */
import { toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";

export const batchItems = 500;
const batchBytes = 3_670_016; // 3.5 MiB: below a message's 4 MiB, with room for what frames the items
export const itemFrame = 8; // bytes, at most, that an item costs in a request beside its own

export function sizeOf<D extends DescMessage>(schema: D, message: MessageShape<D>): number {
  return toBinary(schema, message).length + itemFrame;
}

/** Gathers messages, and tells when one more would be too much. */
export class Part<T> {
  items: T[] = [];
  private bytes = 0;

  /** Whether `item` has to begin the next part. */
  isFullFor(size: number): boolean {
    return this.items.length === batchItems || (this.items.length > 0 && this.bytes + size > batchBytes);
  }

  add(item: T, size: number): void {
    this.items.push(item);
    this.bytes += size;
  }
}
