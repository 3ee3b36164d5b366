// Works with the client of @hey-api/openapi-ts.
import { strict as assert } from "node:assert";
import { client } from "./hey-api/client.gen.js";
import * as api from "./hey-api/sdk.gen.js";

const { URL: url, USERNAME: username, ADMIN: admin, ADMIN_PASSWORD: adminPassword } = process.env as Record<string, string>;
const password = "seven copper gauges at dawn";
client.setConfig({ baseUrl: url });

async function signIn(username: string, password: string): Promise<void> {
  const { data, error } = await api.issueToken({ body: { username, password } });
  assert.ok(data, JSON.stringify(error));
  const token = data.access_token;
  client.setConfig({ auth: () => token });
}

const registered = await api.registerAccount({ body: { username, password } });
assert.equal(registered.response?.status, 201, JSON.stringify(registered.error));
await signIn(admin, adminPassword);
const granted = await api.setMember({ path: { vault: "main", username }, body: { role: "editor" } });
assert.equal(granted.response?.status, 204, JSON.stringify(granted.error));
await signIn(username, password);

const path = { vault: "main", filename: `fixtures/${username}.step` };
const added = await api.addFile({ path, body: { file: new Blob(["one"]) } });
assert.equal(added.data?.revision, 1, JSON.stringify(added.error));
const taken = await api.checkOutFile({ path });
assert.equal(taken.data?.status, "checked_out_by_user", JSON.stringify(taken.error));
const again = await api.checkOutFile({ path });
assert.equal(again.error?.type, "/problems/locked");
const done = await api.checkInFile({ path, body: { file: new Blob(["two"]), comment: "Jaws 2 mm wider" } });
assert.equal(done.data?.revision, 2, JSON.stringify(done.error));

const history = await api.listRevisions({ path });
assert.deepEqual(history.data?.map((one) => one.kind), ["checked_in", "added"]);
const downloaded = await api.downloadFile({ path });
assert.ok(downloaded.data);
assert.equal(await downloaded.data.text(), "two");

const seen: string[] = [];
const { stream } = await api.streamEvents({ path: { vault: "main" }, query: { since: 0 } });
for await (const event of stream) {
  if (event.event === "file_updated" && event.data.filename === path.filename) seen.push(event.action);
  if (seen.length === 3) break;
}
assert.deepEqual(seen, ["add", "checkout", "checkin"]);
console.log("@hey-api/openapi-ts: ok");
process.exit(0);
