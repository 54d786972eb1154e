/** The handlers, for threads. The query of its URL names the worker, and which handlers it has: by default all. */
import { BroadcastChannel } from "node:worker_threads";
import { Handlers } from "@caraway/client";
import { handlersOf, Holds, releases, type Release } from "./handlers.js";

const holds = new Holds();
const told = new BroadcastChannel(releases);
told.onmessage = (message) => holds.of(...((message as MessageEvent).data as Release)).resolve();

const query = new URL(import.meta.url).searchParams;
const handlers = new Handlers();
for (const [name, run, options] of handlersOf(query.get("worker")!, holds, query.get("handlers")?.split(","))) {
  handlers.register(name, run, options);
}

export default handlers;
