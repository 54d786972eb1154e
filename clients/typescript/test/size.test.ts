/** Messages that are written once say the same as those that are written whole, and their sizes are known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { BatchSubmitTasksRequestSchema, LeaseTasksResponseSchema } from "@caraway/client/v1";
import { LeaseBatchSchema, SubmitTaskRequestSchema, TaskLeaseSchema } from "@caraway/client/v1";
import { itemSizes, listRequest } from "../src/size.js";

test("a list of written items is the list", () => {
  const requests = ["a", "b".repeat(1000), ""].map((name) => create(SubmitTaskRequestSchema, { task: { name } }));
  const written = requests.map((request) => toBinary(SubmitTaskRequestSchema, request));
  const whole = toBinary(BatchSubmitTasksRequestSchema, create(BatchSubmitTasksRequestSchema, { requests }));
  assert.deepEqual(listRequest(BatchSubmitTasksRequestSchema.field.requests, written), whole);
});

test("items' sizes are those that they have alone", () => {
  const leases = ["a", "b".repeat(1000), ""].map((leaseToken) => create(TaskLeaseSchema, { leaseToken, fence: 3n }));
  const message = create(LeaseTasksResponseSchema, { message: { case: "leases", value: { leases } } });
  const sizes = itemSizes(
    LeaseTasksResponseSchema.field.leases,
    LeaseBatchSchema.field.leases,
    toBinary(LeaseTasksResponseSchema, message),
  );
  assert.deepEqual(
    sizes,
    leases.map((lease) => toBinary(TaskLeaseSchema, lease).length),
  );
});
