"""Signs in through a third-party OpenID provider (oidc-provider-mock), as a browser does.

    python3 ci/provider_client.py URL
"""
import re
import sys

import requests

url = sys.argv[1]


def sign_in(subject: str) -> requests.Response:
    """Signs in at the provider with a new browser session."""
    browser = requests.Session()
    page = browser.get(f"{url}/auth/oidc/work?next=/account", timeout=20)
    assert page.status_code == 200 and not page.url.startswith(url), (page.status_code, page.url)
    back = browser.post(page.url, data={"sub": subject}, timeout=20)
    assert back.url == f"{url}/account", (back.status_code, back.url, back.text[:500])
    return browser.get(f"{url}/auth/me", timeout=20)


first = sign_in("ada@example.org")
assert first.status_code == 200, first.text
name = first.json()["username"]
assert re.fullmatch(r"[a-z0-9._-]+", name), name
again = sign_in("ada@example.org")
assert again.json()["username"] == name, again.text
other = sign_in("bob@example.org")
assert other.json()["username"] != name, other.text

forged = requests.get(f"{url}/auth/oidc/work/callback?code=x&state=y", timeout=20)
assert forged.status_code == 403 and "Set-Cookie" not in forged.headers, forged.headers
print(f"third-party provider: {name} signs in twice to the same account, {other.json()['username']} to another")
