/** TypeScript's program of the conformance suite: tests/conformance/README.md says what each language's does. */
import { createInterface } from "node:readline";
import { failureOf } from "./answers.js";
import { ClientRole } from "./client_role.js";
import { say, type Request } from "./lines.js";
import { WorkerRole } from "./worker_role.js";

const roles = {
  client: () => new ClientRole(),
  worker: () => new WorkerRole(false),
  "--threads worker": () => new WorkerRole(true),
};
const make = roles[process.argv.slice(2).join(" ") as keyof typeof roles];
if (!make) {
  console.error("usage: conformance client|[--threads] worker");
  process.exit(2);
}
const role = make();

async function answer(asked: Request): Promise<void> {
  try {
    say({ id: asked.id, ok: await role.answer(asked) });
  } catch (error) {
    say({ id: asked.id, error: failureOf(error) });
  }
}

createInterface({ input: process.stdin })
  .on("line", (line) => void answer(JSON.parse(line) as Request))
  .on("close", () => process.exit(0));
