/** Content encodings of payloads, those of Node's zlib. */
import zlib from "node:zlib";
import { PayloadError } from "./errors.js";

/** Bounds what a payload may grow to, in bytes. */
const limit = 64 << 20;

/** Names of the encodings that this client writes. zstd is there from Node 22.15 on. */
export type Compression = "gzip" | "zlib" | "brotli" | "zstd";

interface Codec {
  write(data: Uint8Array): Buffer;
  read(data: Uint8Array): { buffer: Buffer; engine: { bytesWritten: number } };
}

const options = { maxOutputLength: limit, info: true };

// `info` has the engine told beside the data: how much of its input it took. Node's types do not have it.
type Sync = (data: Uint8Array, options?: object) => Buffer;
type Read = Codec["read"];
const codec = (write: Sync, read: Sync): Codec => ({
  write: (data) => write(data),
  read: (data) => (read as unknown as (data: Uint8Array, options: object) => ReturnType<Read>)(data, options),
});

const codecs = new Map<string, Codec>([
  ["gzip", codec(zlib.gzipSync, zlib.gunzipSync)],
  ["zlib", codec(zlib.deflateSync, zlib.inflateSync)],
  ["brotli", codec(zlib.brotliCompressSync, zlib.brotliDecompressSync)],
]);
const newer = zlib as unknown as { zstdCompressSync?: Sync; zstdDecompressSync?: Sync };
if (newer.zstdCompressSync && newer.zstdDecompressSync) {
  codecs.set("zstd", codec(newer.zstdCompressSync, newer.zstdDecompressSync));
}

/** Names of the encodings that this Node can undo. */
export const encodings: readonly string[] = [...codecs.keys()];

function codecOf(encoding: string): Codec {
  const found = codecs.get(encoding);
  if (!found) {
    const name = JSON.stringify(encoding.slice(0, 50));
    throw new PayloadError(`this Node has ${encodings.join(", ")}, not ${name}; have the other side use one of them`);
  }
  return found;
}

export function compress(encoding: string, data: Uint8Array): Uint8Array {
  return codecOf(encoding).write(data);
}

/** Undoes an encoding. What ends too early, what more follows, and what grows beyond the limit is refused. */
export function decompress(encoding: string, data: Uint8Array): Uint8Array {
  const { read } = codecOf(encoding);
  let undone: ReturnType<Read>;
  try {
    undone = read(data);
  } catch (error) {
    throw new PayloadError(`a payload is no whole ${encoding}, or grows beyond 64 MiB`, { cause: error });
  }
  if (undone.engine.bytesWritten !== data.length) {
    throw new PayloadError(`a payload is no whole ${encoding}: more follows after its end`);
  }
  return undone.buffer;
}
