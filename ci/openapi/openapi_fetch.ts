// Works with openapi-fetch and the types of openapi-typescript.
import { strict as assert } from "node:assert";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const { URL: url, USERNAME: username, ADMIN: admin, ADMIN_PASSWORD: adminPassword } = process.env as Record<string, string>;
const password = "seven copper gauges at dawn";
const anonymous = createClient<paths>({ baseUrl: url });

async function signIn(username: string, password: string) {
  const { data, error } = await anonymous.POST("/auth/token", {
    body: { username, password },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  });
  assert.ok(data, JSON.stringify(error));
  return createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${data.access_token}` } });
}

function form(fields: Record<string, unknown>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value as Blob | string);
  return form;
}

const registered = await anonymous.POST("/auth/register", { body: { username, password } });
assert.equal(registered.response.status, 201, JSON.stringify(registered.error));
const root = await signIn(admin, adminPassword);
const granted = await root.PUT("/api/vaults/{vault}/members/{username}", {
  params: { path: { vault: "main", username } },
  body: { role: "editor" },
});
assert.equal(granted.response.status, 204, JSON.stringify(granted.error));
const client = await signIn(username, password);

const path = { vault: "main", filename: `fixtures/${username}.step` };
const file = (text: string) => new Blob([text]) as unknown as string;
const added = await client.PUT("/api/vaults/{vault}/files/{filename}/content", {
  params: { path },
  body: { file: file("one") },
  bodySerializer: form,
});
assert.equal(added.data?.revision, 1, JSON.stringify(added.error));
const taken = await client.POST("/api/vaults/{vault}/files/{filename}/checkout", { params: { path } });
assert.equal(taken.data?.status, "checked_out_by_user", JSON.stringify(taken.error));
const again = await client.POST("/api/vaults/{vault}/files/{filename}/checkout", { params: { path } });
assert.equal(again.error?.type, "/problems/locked");
const done = await client.POST("/api/vaults/{vault}/files/{filename}/checkin", {
  params: { path },
  body: { file: file("two"), comment: "Jaws 2 mm wider" },
  bodySerializer: form,
});
assert.equal(done.data?.revision, 2, JSON.stringify(done.error));

const history = await client.GET("/api/vaults/{vault}/files/{filename}/history", { params: { path } });
assert.deepEqual(history.data?.map((one) => one.kind), ["checked_in", "added"]);
const downloaded = await client.GET("/api/vaults/{vault}/files/{filename}/content", { params: { path }, parseAs: "text" });
assert.equal(downloaded.data, "two");

const events = await client.GET("/api/vaults/{vault}/events", {
  params: { path: { vault: "main" }, query: { since: 0 } },
  parseAs: "stream",
});
assert.ok(events.data);
const seen: string[] = [];
let text = "";
for await (const chunk of events.data) {
  text += new TextDecoder().decode(chunk);
  const lines = text.split("\n");
  text = lines.pop() ?? "";
  for (const line of lines.filter((line) => line.startsWith("data:"))) {
    const event = JSON.parse(line.slice(5)) as components["schemas"]["Event"];
    if (event.event === "file_updated" && event.data.filename === path.filename) seen.push(event.action);
  }
  if (seen.length === 3) break;
}
assert.deepEqual(seen, ["add", "checkout", "checkin"]);
console.log("openapi-typescript and openapi-fetch: ok");
process.exit(0);
