/** The client and the worker on a real gateway, whose target is in CARAWAY_TARGET. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { context, trace } from "@opentelemetry/api";
import {
  BatchError,
  call,
  chain,
  chord,
  Client,
  currentAttempt,
  group,
  InvalidOption,
  Replace,
  TaskFailed,
} from "@caraway/client";
import { TaskIdConflict, TaskNotFound, TimeoutError, UniqueConflict, Worker, type CallOptions } from "@caraway/client";
import { propagation } from "./tracing.js";
import { whileTested } from "./working.js";

assert.ok(process.env.CARAWAY_TARGET, "these tests need a gateway: CARAWAY_TARGET=HOST:PORT");

const queue = `typescript-${process.pid}`;
const own = { queue, idle: `${queue}-idle` };
const client = new Client({ propagation });
const worker = new Worker(client, { queues: [queue], concurrency: 4 });
worker.register("add", (x: number, y = 0) => x + y, { params: ["x", "y?"] });
worker.register("sum", (numbers: number[]) => numbers.reduce((total, n) => total + n, 0));
worker.register("fail", (message: string) => Promise.reject(new RangeError(message, { cause: new Error("below") })));
worker.register("told", (error: TaskFailed) => error.reason);
worker.register("trace", () => trace.getSpanContext(context.active())?.traceId ?? null);
worker.register("stamps", () => currentAttempt().stamps);
worker.register("replaced", () => {
  throw new Replace(chain(call("add", [1, 2], own), call("add", [4], own)));
});
worker.register("parent", async () => (await client.submit(call("add", [1], own))).id);
whileTested(client, worker);

const add = (args: unknown[], options: CallOptions = {}) => call<number>("add", args, { queue, ...options });

test("runs, waits and reads", async () => {
  assert.equal(await client.run(add([2, 3])), 5);
  assert.equal(await client.run(add([2], { kwargs: { y: 3 } })), 5);
  const handle = await client.submit(add([1, 1]));
  const task = await handle.wait({ timeout: 10_000 });
  assert.equal(task.state, "SUCCEEDED");
  assert.equal(task.result, 2);
  assert.equal((await handle.get()).queue, queue);
  assert.ok(task.endTime! >= task.createTime!);
});

test("the same id is one task", async () => {
  const options = { id: `${queue}-once` };
  assert.ok((await client.submit(add([1, 1], options))).created);
  assert.ok(!(await client.submit(add([1, 1], options))).created);
  await assert.rejects(client.submit(add([1, 2], options)), (error: TaskIdConflict) => {
    assert.ok(error instanceof TaskIdConflict);
    assert.equal(error.codeName, "ALREADY_EXISTS");
    assert.equal(error.metadata.task_id, options.id);
    return true;
  });
});

test("many are split by count, and each is answered", async () => {
  const handles = await client.submitMany(Array.from({ length: 1203 }, (_, n) => add([n, 1])));
  assert.equal(await handles.at(-1)!.result(), 1203);
  const { tasks, missing } = await client.getMany([...handles.map(({ id }) => id), "nobody"]);
  assert.equal(tasks.length, 1203);
  assert.deepEqual(missing, ["nobody"]);
});

test("many are split by size, and refused each for itself", async () => {
  const large = "x".repeat(1 << 20);
  const calls = Array.from({ length: 9 }, (_, n) =>
    call("add", [n === 4 ? "x".repeat(3_500_000) : large], { queue: own.idle }),
  );
  await assert.rejects(client.submitMany([...calls, call("add", [NaN])]), (error: BatchError) => {
    const refused = error.results.flatMap((result, i) => (result instanceof Error ? [[i, result.name]] : []));
    assert.deepEqual(refused, [
      [4, "PayloadTooLarge"],
      [9, "PayloadError"],
    ]);
    return true;
  });
});

test("failures are typed", async () => {
  await assert.rejects(client.run(call("fail", ["no screws"], { queue })), (error: TaskFailed) => {
    assert.ok(error instanceof TaskFailed);
    assert.deepEqual([error.kind, error.type, error.reason], ["APPLICATION", "RangeError", "no screws"]);
    assert.equal(error.causes[0].message, "below");
    assert.match(error.traceback, /client\.test/);
    return true;
  });
  await assert.rejects(client.get("nobody"), TaskNotFound);
  await assert.rejects(client.submit(add([1], { priority: 11 })), InvalidOption);
  const waits = await client.submit(add([1], { delay: 60_000 }));
  await assert.rejects(waits.result({ timeout: 50 }), TimeoutError);
  await assert.rejects(waits.wait({ signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
  assert.equal(await waits.revoke({ reason: "enough" }), "REVOKED");
  assert.equal((await waits.wait()).cancelReason, "enough");
  await assert.rejects(client.run(call("add", [1, 2, 3], { queue })), { kind: "PAYLOAD" });
});

test("a key keeps a second task away", async () => {
  const unique = (onConflict: "reject" | "return-existing") => ({ delay: 60_000, unique: { key: queue, onConflict } });
  const first = await client.submit(add([1], unique("reject")));
  await assert.rejects(client.submit(add([2], unique("reject"))), UniqueConflict);
  const second = await client.submit(add([3], unique("return-existing")));
  assert.deepEqual([second.id, second.created], [first.id, false]);
  await first.revoke();
});

test("watches, lists, deletes and sends back", async () => {
  const handle = await client.submit(call("fail", ["x"], { queue, stamps: { order: [queue, 7] } }));
  const states: string[] = [];
  for await (const { task } of handle.watch()) {
    states.push(task?.state ?? "");
  }
  assert.equal(states.at(-1), "FAILED");
  const found: string[] = [];
  for await (const task of client.list({ states: ["FAILED"], stamps: { order: [queue] }, pageSize: 1 })) {
    found.push(task.id);
  }
  assert.deepEqual(found, [handle.id]);
  assert.deepEqual(await client.retry([handle.id, "nobody"]), ["QUEUED", "NOT_FOUND"]);
  await handle.wait();
  assert.deepEqual(await client.delete([handle.id, "nobody"]), ["DELETED", "NOT_FOUND"]);
  const watching = client.watch(["nobody"]);
  assert.deepEqual((await watching.next()).value?.missing, ["nobody"]);
  await watching.return();
});

test("workflows", async () => {
  const sum = call<number>("sum", [], { queue });
  assert.equal(await client.run(chain(add([1, 2]), add([10]))), 13);
  assert.deepEqual(await client.run(group([add([1, 1]), chain(add([2, 2]), add([1])), group([add([0])])])), [2, 5, [0]]);
  assert.equal(await client.run(chord([add([1, 1]), add([2, 2])], sum)), 6);
  assert.equal(await client.run(chain(group([]), sum)), 0);
  assert.equal(await client.run(chain(add([1, 1]), add([5, 5]).immutable())), 10);
  const failing = chord([add([1]), call("fail", ["header"], { queue })], sum);
  await assert.rejects(client.run(failing), { kind: "DEPENDENCY", failedKind: "APPLICATION" });
  const id = `${queue}-errback`;
  await client.submit(failing.onError(call("told", [], { queue, id })));
  await assert.doesNotReject(async () => {
    for (;;) {
      try {
        assert.equal(await client.handle(id).result({ timeout: 10_000 }), "header");
        return;
      } catch (error) {
        assert.ok(error instanceof TaskNotFound);
      }
    }
  });
  assert.equal(await client.run(call("replaced", [], { queue })), 7);
});

test("a wide group crosses in parts", async () => {
  const members = Array.from({ length: 2300 }, (_, n) => add([n]));
  assert.equal(await client.run(chord(members, call<number>("sum", [], { queue }))), (2299 * 2300) / 2);
});

test("children know their parent, stamps and traces arrive", async () => {
  const handle = await client.submit(call<string>("parent", [], { queue }));
  const child = await client.get(await handle.result());
  assert.equal(child.message.spec?.parentTaskId, handle.id);
  assert.deepEqual(await client.run(call("stamps", [], { queue, stamps: { a: [1, "x", true] } })), { a: [1, "x", true] });
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
  const traced = trace.setSpanContext(context.active(), span);
  assert.equal(await context.with(traced, () => client.run(call("trace", [], { queue }))), span.traceId);
  assert.equal(await client.run(call("trace", [], { queue })), null);
});
