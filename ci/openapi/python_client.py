"""Works with the client of openapi-python-client."""

import json
import os
from io import BytesIO

from generated import AuthenticatedClient, Client, models
from generated.api.accounts import issue_token, register_account
from generated.api.events import stream_events
from generated.api.files import add_file, check_in_file, check_out_file, download_file, list_revisions
from generated.api.vaults import set_member
from generated.types import File

url, username = os.environ["URL"], os.environ["USERNAME"]
password = "seven copper gauges at dawn"
anonymous = Client(base_url=url)


def sign_in(username, password):
    tokens = issue_token.sync(client=anonymous, body=models.TokenRequest(username=username, password=password))
    assert isinstance(tokens, models.TokenResponse), tokens
    return AuthenticatedClient(base_url=url, token=tokens.access_token)


account = register_account.sync(client=anonymous, body=models.Register(username=username, password=password))
assert isinstance(account, models.Registered), account
admin = sign_in(os.environ["ADMIN"], os.environ["ADMIN_PASSWORD"])
granted = set_member.sync_detailed("main", username, client=admin, body=models.SetRole(role=models.Role.EDITOR))
assert granted.status_code == 204, granted
client = sign_in(username, password)

name = f"fixtures/{username}.step"
content = models.NewContent(file=File(payload=BytesIO(b"one"), file_name="vise.step"))
added = add_file.sync_detailed("main", name, client=client, body=content)
assert isinstance(added.parsed, models.FileInfo), added
assert added.headers["ETag"] == f'"{added.parsed.sha256}"' and name.split("/")[1] in added.headers["Location"]

taken = check_out_file.sync("main", name, client=client)
assert isinstance(taken, models.FileInfo) and taken.status is models.FileStatus.CHECKED_OUT_BY_USER, taken
again = check_out_file.sync("main", name, client=client)
assert isinstance(again, models.ProblemBody) and again.type_ == "/problems/locked", again
content = models.CheckIn(file=File(payload=BytesIO(b"two"), file_name="vise.step"), comment="Jaws 2 mm wider")
done = check_in_file.sync("main", name, client=client, body=content)
assert isinstance(done, models.FileInfo) and done.revision == 2, done

history = list_revisions.sync("main", name, client=client)
assert [one.kind for one in history] == [models.RevisionKind.CHECKED_IN, models.RevisionKind.ADDED], history
assert download_file.sync("main", name, client=client).payload.read() == b"two"
assert download_file.sync("main", name, client=client, revision=1).payload.read() == b"one"

# The generator has no streams, so the stream is read with its client and its models.
seen = []
request = stream_events._get_kwargs("main", since=0)
with client.get_httpx_client().stream(**request) as response:
    assert response.status_code == 200, response
    for line in response.iter_lines():
        if line.startswith("data:"):
            event = models.FileUpdated.from_dict(json.loads(line.removeprefix("data:")))
            if event.data.filename == name:
                seen.append(event.action)
        if len(seen) == 3:
            break
assert seen == [models.EventAction.ADD, models.EventAction.CHECKOUT, models.EventAction.CHECKIN], seen
print("openapi-python-client: ok")
