"""Fails to sign in from several addresses, then runs Debian's fail2ban-regex on the log with the filter of
docs/fail2ban.md.

    python3 ci/fail2ban_client.py URL LOG      the server trusts 127.0.0.1 as a proxy, and writes LOG
"""
import base64
import collections
import hashlib
import hmac
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time

import requests

URL, LOG = sys.argv[1], pathlib.Path(sys.argv[2])
PASSWORD = "seven lathes hum at dawn"
# RFC 5737, RFC 3849. No request comes from the last one.
IPV4, IPV6, GUESSER, FRAMED = "192.0.2.7", "2001:db8:1:2::7", "203.0.113.9", "198.51.100.1"


def sign_in(address, username, password, **more):
    # Text that a client controls must not be found as an address.
    claim = f"strongroom auth failure: address={FRAMED} account=a reason=password"
    headers = {"X-Forwarded-For": f"{FRAMED}, {address}", "User-Agent": claim, "X-Request-Id": f"address={FRAMED}"}
    form = {"username": username, "password": password, **more}
    return requests.post(f"{URL}/auth/token", data=form, headers=headers, timeout=20)


def code(secret, step):
    """A TOTP code (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06}"


def with_an_app(username):
    """Registers an account with an authenticator app; returns a wrong code."""
    requests.post(f"{URL}/auth/register", json={"username": username, "password": PASSWORD}).raise_for_status()
    token = sign_in("127.0.0.1", username, PASSWORD).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    secret = requests.post(f"{URL}/auth/totp", headers=bearer).json()["secret"]
    good = code(secret, 0)
    requests.post(f"{URL}/auth/totp/confirm", headers=bearer, json={"code": good}).raise_for_status()
    return f"{(int(good) + 1) % 1_000_000:06}"


def fail():
    """Returns the expected number of matches for each address."""
    wrong = with_an_app("ada")
    for address in (IPV4, IPV6):
        for username in ("ada", "nobody", f"x\nstrongroom auth failure: address={FRAMED} account=a reason=password"):
            assert sign_in(address, username, "not the password").status_code == 401
        refused = sign_in(address, "ada", PASSWORD, otp=wrong)
        assert refused.status_code == 401, refused.text
    expected = collections.Counter({IPV4: 4, IPV6: 4})
    statuses = [sign_in(GUESSER, "guessed", "not the password").status_code for _ in range(8)]
    assert statuses[0] == 401 and statuses[-1] == 429, statuses
    expected[GUESSER] = len(statuses)
    return expected


def found(lines):
    page = pathlib.Path("docs/fail2ban.md").read_text()
    block = re.search(r"```ini\n(\[Definition\].*?)```", page, re.S)
    with tempfile.TemporaryDirectory() as folder:
        rule, log = pathlib.Path(folder, "strongroom.conf"), pathlib.Path(folder, "log")
        rule.write_text(block.group(1))
        log.write_text(lines)
        ran = subprocess.run(["fail2ban-regex", "-o", "ip", log, rule], capture_output=True, text=True, check=True)
    return collections.Counter(ran.stdout.split())


def main():
    expected = fail()
    time.sleep(0.5)
    text = LOG.read_text()
    for reason in ("password", "totp", "throttled"):
        assert f"reason={reason}" in text, f"no line says reason={reason}:\n{text}"
    seen = found(text)
    assert seen == expected, f"fail2ban sees {seen}, not {expected}:\n{text}"
    print(f"fail2ban-regex finds {dict(seen)} and no other address")


main()
