/** Reads a task that is not there by TLS, with a token and without: secured FOLDER. The gateway is CARAWAY_TARGET's. */
import { join } from "node:path";
import { Client, GatewayError } from "@caraway/client";

const at = (name: string) => join(process.argv[2], name);
const tls = { ca: at("ca.pem"), cert: at("client.pem"), key: at("client.key") };

async function reasonOf(client: Client): Promise<string> {
  const failed = await client.get("nobody").catch((error: GatewayError) => error);
  client.close();
  return failed instanceof GatewayError ? failed.reason : "none";
}

console.log("with token and certificate:", await reasonOf(new Client({ tls, tokenFile: at("token") })));
console.log("without a token:", await reasonOf(new Client({ tls })));
