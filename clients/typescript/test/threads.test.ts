/** Handlers in threads, on a real gateway, whose target is in CARAWAY_TARGET. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { context, trace } from "@opentelemetry/api";
import { call, CarawayError, chord, Client, Decimal, InvalidOption, Worker, type CallOptions } from "@caraway/client";
import { propagation } from "./tracing.js";
import { whileTested } from "./working.js";

assert.ok(process.env.CARAWAY_TARGET, "these tests need a gateway: CARAWAY_TARGET=HOST:PORT");

const queue = `threads-${process.pid}`;
const handlersModule = new URL("./playhandlers.js", import.meta.url);
const logged: string[] = [];
const log = (message: string) => void logged.push(message);
const client = new Client({
  logger: { debug: log, info: log, warn: log, error: log },
  propagation,
});
const worker = new Worker(client, { queues: [queue], handlersModule, threads: 1 });
whileTested(client, worker);

const task = <R = unknown>(name: string, args: unknown[] = [], options: CallOptions = {}) =>
  call<R>(`threads.${name}`, args, { queue, ...options });
const add = () => client.run(task<number>("add", [2, 3]));

/** Waits until a task tells that it is in a state of its own. */
async function reached(id: string, state: string): Promise<void> {
  for await (const { task } of client.watch([id])) {
    if (task?.customState === state) {
      return;
    }
  }
  assert.fail(`${id} has ended without being ${state}`);
}

test("values cross, by position, by name and from other tasks", async () => {
  assert.equal(await add(), 5);
  assert.equal(await client.run(task("add", [2], { kwargs: { y: 3 } })), 5);
  const value = [2n ** 63n, new Decimal("1.50"), new Uint8Array([0, 255]), null, { at: new Set([1]) }];
  assert.deepEqual(await client.run(task("echo", [value])), value);
  assert.equal(await client.run(chord([task("add", [1, 1]), task("add", [2, 2])], task<number>("sum"))), 6);
  assert.deepEqual(await client.run(task("stamps", [], { stamps: { a: [1, "x"] } })), { a: [1, "x"] });
});

test("outcomes cross", async () => {
  await assert.rejects(client.run(task("fail", ["no screws"])), (error: Record<string, unknown>) => {
    assert.deepEqual([error.kind, error.type, error.reason], ["APPLICATION", "RangeError", "no screws"]);
    assert.match(String(error.traceback), /playhandlers/);
    return true;
  });
  await assert.rejects(client.run(task("add", [1, 2, 3])), { kind: "PAYLOAD" });
  assert.equal(await client.run(task("retry")), 3);
  assert.equal(await client.run(task("replaced", [queue])), 7);
});

test("children know their parent, traces arrive", async () => {
  const parent = await client.submit(task<string>("parent", [queue]));
  const child = await client.get(await parent.result());
  assert.equal(child.message.spec?.parentTaskId, parent.id);
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
  const traced = trace.setSpanContext(context.active(), span);
  assert.equal(await context.with(traced, () => client.run(task("trace"))), span.traceId);
});

test("the hard limit ends what computes, and its thread", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "caraway-")), "turns");
  await assert.rejects(client.run(task("spin", [600_000, path], { hardTimeLimit: 300 })), { kind: "TIME_LIMIT" });
  assert.equal(await add(), 5, "another thread has taken its place");
  const turns = readFileSync(path, "utf8");
  assert.equal(await client.run(task("spin", [20])), 1);
  assert.equal(readFileSync(path, "utf8"), turns, "it goes on no more");
  await assert.rejects(client.run(task("bounded")), { kind: "TIME_LIMIT" }); // by its registration
});

test("the soft limit reaches what computes and what waits", async () => {
  for (const name of ["obey", "wait"]) {
    await assert.rejects(client.run(task(name, [], { softTimeLimit: 50 })), { kind: "SOFT_TIME_LIMIT" });
  }
});

test("a cancellation reaches what computes and what waits", async () => {
  for (const [name, state] of [
    ["obey", "OBEYING"],
    ["wait", "WAITING"],
  ]) {
    const handle = await client.submit(task(name));
    await reached(handle.id, state);
    await handle.revoke({ mode: "cancel", reason: "enough" });
    const { state: end, cancelReason } = await handle.wait({ timeout: 20_000 });
    assert.deepEqual([end, cancelReason], ["REVOKED", "enough"]);
  }
});

test("a termination ends what ignores it", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "caraway-")), "turns");
  const handle = await client.submit(task("spin", [600_000, path]));
  for await (const { task } of handle.watch()) {
    if (task?.state === "RUNNING") {
      break;
    }
  }
  await handle.revoke({ mode: "terminate", grace: 50 });
  assert.equal((await handle.wait({ timeout: 20_000 })).state, "REVOKED");
  assert.equal(await add(), 5);
});

test("a task whose thread ends is lost, and runs again", async () => {
  const handle = await client.submit(task<number>("exit"));
  assert.equal(await handle.result({ timeout: 20_000 }), 2);
  assert.equal((await handle.get()).lostCount, 1);
  assert.ok(logged.some((line) => /threads.exit\) has ended, another takes its place: it exited with code 3/.test(line)));
});

test("a task that takes more memory than its thread may is lost", async () => {
  const bounded = { queues: [`${queue}-bounded`], handlersModule, threads: 1, threadMemory: 64 };
  const other = new Worker(client, bounded);
  const ended = other.run();
  assert.equal(await client.run(task<number>("hoard", [], { queue: `${queue}-bounded` }), { timeout: 60_000 }), 2);
  assert.ok(logged.some((line) => /threads.hoard\) has ended.*memory limit/.test(line)));
  other.drain();
  await ended;
});

test("a thread that ends without a task is replaced", async () => {
  assert.equal(await client.run(task("leave")), null);
  assert.equal(await add(), 5);
  assert.ok(logged.some((line) => line.includes("another takes its place: it exited with code 4")));
});

test("a thread is started again until it can be", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "caraway-")), "broken");
  const fragile = new URL(`?broken=${encodeURIComponent(path)}`, handlersModule);
  const other = new Worker(client, { queues: [`${queue}-fragile`], handlersModule: fragile, threads: 1 });
  const ended = other.run();
  const handle = await client.submit(task<number>("exit", [], { queue: `${queue}-fragile` }));
  while (!logged.some((line) => line.includes("no thread can be started") && line.endsWith("it is broken"))) {
    await sleep(10);
  }
  rmSync(path);
  assert.equal(await handle.result({ timeout: 20_000 }), 2);
  other.drain();
  await ended;
});

test("a module that can't be loaded is told", async () => {
  const started = (name: string) => new Worker(client, { handlersModule: new URL(name, import.meta.url), threads: 2 }).run();
  await assert.rejects(started("./nowhere.js"), (error: Error) => {
    assert.ok(error instanceof CarawayError);
    assert.match(error.message, /^the module file:.*nowhere.js can't be loaded: Cannot find module/);
    return true;
  });
  await assert.rejects(started("../src/values.js"), /values.js can't be loaded: its default export is to be handlers/);
});

test("options that do not go together are refused", () => {
  const make = (options: object) => () => new Worker(client, options);
  assert.throws(make({ threads: 2 }), InvalidOption);
  assert.throws(make({ threadMemory: 64 }), InvalidOption);
  assert.throws(make({ handlersModule, threadMemory: 0.5 }), /threadMemory is a whole number/);
  assert.throws(make({ handlersModule, concurrency: 2 }), InvalidOption);
  assert.throws(make({ handlersModule, threads: 0 }), /threads is a whole number, at least 1, not 0/);
  assert.throws(make({ handlersModule: "./playhandlers.js" }), /handlersModule is a URL/);
  assert.throws(() => new Worker(client, { handlersModule }).register("x", () => 1), InvalidOption);
});
