/** Calls of the contract's services: protobuf-es's descriptors on grpc-js's channels. */
import { fromBinary, toBinary, type DescMessage, type DescMethod, type MessageShape } from "@bufbuild/protobuf";
import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import { fromRpc } from "./refusal.js";
import type { Transport } from "./transport.js";

/** A method of a service, with the types of its messages. */
export type Method<I extends DescMessage, O extends DescMessage> = DescMethod & { input: I; output: O };

/** How a call is made. */
export interface RpcOptions {
  /** In milliseconds; 0: none. */
  timeout: number;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** A message, or the bytes of one that is written already. */
export type Writable<I extends DescMessage> = MessageShape<I> | Uint8Array;

function writerOf<I extends DescMessage>(method: Method<I, DescMessage>) {
  return (message: Writable<I>): Buffer => {
    const bytes = message instanceof Uint8Array ? message : toBinary(method.input, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function readerOf<O extends DescMessage>(method: Method<DescMessage, O>) {
  return (bytes: Buffer): MessageShape<O> => fromBinary(method.output, bytes);
}

/** Makes a unary call, once. Where `signal` ends it, it fails by the signal's reason. */
export function unary<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  method: Method<I, O>,
  request: Writable<I>,
  options: RpcOptions,
): Promise<MessageShape<O>> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const call = transport.channel.makeUnaryRequest(
      pathOf(method),
      writerOf(method),
      readerOf(method),
      request,
      transport.metadata(options.headers ?? {}),
      options.timeout > 0 ? { deadline: Date.now() + options.timeout } : {},
      (error, response) => {
        signal?.removeEventListener("abort", cancel);
        if (signal?.aborted) {
          reject(signal.reason as Error);
        } else if (error) {
          reject(fromRpc(error));
        } else {
          resolve(response!);
        }
      },
    );
    const cancel = () => call.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** Begins a call that is answered by a stream. */
export function serverStream<I extends DescMessage, O extends DescMessage>(
  transport: Transport,
  method: Method<I, O>,
  request: MessageShape<I>,
  headers: Record<string, string>,
): ClientReadableStream<MessageShape<O>> {
  const metadata = transport.metadata(headers);
  return transport.channel.makeServerStreamRequest(pathOf(method), writerOf(method), readerOf(method), request, metadata);
}

/** Begins a call with a stream either way, whose answers are read by `read`. */
export function duplex<I extends DescMessage, A>(
  transport: Transport,
  method: Method<I, DescMessage>,
  headers: Record<string, string>,
  read: (bytes: Buffer) => A,
): ClientDuplexStream<MessageShape<I>, A> {
  const metadata = transport.metadata(headers);
  return transport.channel.makeBidiStreamRequest(pathOf(method), writerOf(method), read, metadata);
}
