/** How a gateway is reached: its address, TLS, tokens, and what gRPC is told. */
import { readFileSync, statSync } from "node:fs";
import { credentials, Client as Channel, Metadata, type ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { InvalidOption } from "./errors.js";

/** Where a gateway is looked for if nothing is said, neither in code nor by CARAWAY_TARGET. */
export const defaultTarget = "localhost:50051";

/** Files in PEM. `cert` and `key` go together. */
export interface TlsFiles {
  /** Authorities that sign the gateway's certificate; by default those of Node. */
  ca?: string;
  /** What to show to a gateway that asks for a client certificate. */
  cert?: string;
  /** Its key. */
  key?: string;
  /** The name in the gateway's certificate; by default the target's host. */
  serverName?: string;
}

/** How a gateway is reached. */
export interface TransportOptions {
  /**
   * HOST:PORT, grpcs://HOST:PORT (by TLS) or grpc://HOST:PORT. By default the variable CARAWAY_TARGET, else localhost:50051.
   */
  target?: string;
  /** Connect by TLS: `true` takes Node's authorities. */
  tls?: boolean | TlsFiles;
  /** Sent with each call. It is shown to whoever the connection ends at: use TLS beyond the own machine. */
  token?: string;
  /** A file that holds the token, read again whenever it changes. */
  tokenFile?: string;
}

// gRPC's defaults suit neither long waits (no keepalive) nor short outages (reconnects up to two minutes apart).
const channelOptions: ChannelOptions = {
  // A wait lasts up to 60 s without a byte: a dead peer is noticed by pings. None are sent without calls.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 0,
  // A restarted gateway is found again within two seconds.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  // The gateway sets the limit (4 MiB by default) and says so in its refusal; this only bounds a fault on either side.
  "grpc.max_receive_message_length": 64 << 20,
  "grpc.max_send_message_length": 64 << 20,
  // Retries are the client's: it knows which calls are safe to repeat and until when.
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  // Clients of one program do not share a connection, so that closing one leaves the others alone.
  "grpc.use_local_subchannel_pool": 1,
};

/** A connection, and what goes with each call on it. */
export class Transport {
  readonly target: string;
  readonly channel: Channel;
  private readonly token: Bearer | undefined;

  constructor(options: TransportOptions) {
    this.target = options.target || process.env.CARAWAY_TARGET || defaultTarget;
    const { address, secure } = resolve(this.target, options.tls);
    const files = typeof options.tls === "object" ? options.tls : {};
    if (options.token !== undefined && options.tokenFile !== undefined) {
      throw new InvalidOption("token and tokenFile exclude each other");
    }
    if (options.token !== undefined || options.tokenFile !== undefined) {
      this.token = new Bearer(options.token, options.tokenFile);
    }
    const creds = secure ? secureCredentials(files) : credentials.createInsecure();
    const named = files.serverName ? { "grpc.ssl_target_name_override": files.serverName } : {};
    this.channel = new Channel(address, creds, { ...channelOptions, ...named });
  }

  /** The metadata of a call; `headers` are added to it. */
  metadata(headers: Readonly<Record<string, string>>): Metadata {
    const made = new Metadata();
    for (const [key, value] of Object.entries(headers)) {
      made.set(key, value);
    }
    if (this.token) {
      made.set("authorization", `Bearer ${this.token.current()}`);
    }
    return made;
  }
}

function resolve(target: string, tls: TransportOptions["tls"]): { address: string; secure: boolean } {
  const [, scheme, rest] = /^(\w+):\/\/(.*)$/.exec(target) ?? [];
  if (scheme === "http" || scheme === "https") {
    throw new InvalidOption(`the target "${target}": write HOST:PORT, or grpcs://HOST:PORT for TLS`);
  }
  if (scheme === "grpc" && tls) {
    throw new InvalidOption(`the target "${target}" is without TLS, and TLS is asked for: write grpcs://`);
  }
  if (scheme === "grpc" || scheme === "grpcs") {
    return { address: rest, secure: scheme === "grpcs" };
  }
  return { address: target, secure: Boolean(tls) };
}

function secureCredentials(files: TlsFiles): ChannelCredentials {
  if ((files.cert === undefined) !== (files.key === undefined)) {
    throw new InvalidOption("a certificate and its key go together: name cert and key");
  }
  const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path));
  return credentials.createSsl(read(files.ca), read(files.key), read(files.cert));
}

/** A token, of its own or from a file. */
class Bearer {
  private stamp = "";
  private text = "";

  constructor(
    text: string | undefined,
    private readonly path: string | undefined,
  ) {
    if (text !== undefined) {
      this.text = checkToken(text);
    }
    this.current();
  }

  current(): string {
    if (this.path === undefined) {
      return this.text;
    }
    try {
      const { mtimeMs, size } = statSync(this.path);
      const stamp = `${mtimeMs} ${size}`;
      if (stamp !== this.stamp) {
        this.text = checkToken(readFileSync(this.path, "utf8").trim());
        this.stamp = stamp;
      }
    } catch (error) {
      if (this.text === "") {
        throw error;
      } // else it is being replaced: the one before may still do
    }
    return this.text;
  }
}

function checkToken(text: string): string {
  if (!/^[!-~]+$/.test(text)) {
    throw new InvalidOption("a token has no spaces and no control characters");
  }
  return text;
}
