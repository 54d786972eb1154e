/** Cuts lists of messages into parts that a call takes. */
import { toBinary, type DescField, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export const batchItems = 500;
const batchBytes = 3_670_016; // 3.5 MiB: below a message's 4 MiB, with room for what frames the items
export const itemFrame = 8; // bytes, at most, that an item costs in a request beside its own

export function sizeOf<D extends DescMessage>(schema: D, message: MessageShape<D>): number {
  return toBinary(schema, message).length + itemFrame;
}

/** Writes a request that consists of one list, of messages that are written already: each is written once. */
export function listRequest(list: DescField, items: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const item of items) {
    writer.tag(list.number, WireType.LengthDelimited).bytes(item);
  }
  return writer.finish();
}

/** The sizes of a list's items, in a message that has the list in a message of its own. */
export function itemSizes(outer: DescField, list: DescField, bytes: Uint8Array): number[] {
  return contentsOf(outer, bytes).flatMap((inner) => contentsOf(list, inner).map((item) => item.length));
}

function contentsOf(field: DescField, bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === field.number) {
      found.push(reader.bytes());
    } else {
      reader.skip(wireType, number);
    }
  }
  return found;
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
