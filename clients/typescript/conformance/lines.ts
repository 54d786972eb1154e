/** Lines of the suite: requests on stdin, answers on stdout. */
import { Client } from "@caraway/client";
import type { Canvas, Spec } from "./specs.js";

/** A line of stdin, with all members that any request has. */
export interface Request {
  id: number;
  do: string;
  client: string;
  worker: string;
  target: string;
  token?: string;
  ca?: string;
  cert?: string;
  key?: string;
  task: Spec;
  tasks: Spec[];
  task_id: string;
  task_ids: string[];
  timeout: number;
  states?: string[];
  names?: string[];
  queues?: string[];
  page_size?: number;
  mode?: string;
  reason?: string;
  grace?: number;
  signal?: string;
  canvas: Canvas;
  on_error?: Spec;
  concurrency?: number;
  handlers?: string[];
}

export function say(line: object): void {
  const text = JSON.stringify(line, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value));
  process.stdout.write(`${text}\n`);
}

/** A time of the suite, in seconds, as the library counts. */
export const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);

const write = (level: string) => (message: string) => console.error(`${level} ${message}`);
const logger = { debug: write("DEBUG"), info: write("INFO"), warn: write("WARN"), error: write("ERROR") };

/** Makes a client as a request says. */
export function connect({ target, token, ca, cert, key }: Request): Client {
  const tls = ca ? { ca, ...(cert && { cert }), ...(key && { key }) } : undefined;
  return new Client({ target, logger, exactDoubles: true, ...(token && { token }), ...(tls && { tls }) });
}
