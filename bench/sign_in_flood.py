#!/usr/bin/env python3
"""Measures honest sign-ins during a flood of wrong ones from many addresses.

Start a server that trusts this machine as a proxy, so that `X-Forwarded-For` names the addresses:

    strongroom user add ada --password-stdin <<< "correct horse battery staple"
    strongroom serve --listen 127.0.0.1:8000 --trusted-proxies 127.0.0.1
    python3 bench/sign_in_flood.py http://127.0.0.1:8000 ada "correct horse battery staple"

The target: p99 under a second, and no honest sign-in refused.
"""

import http.client
import sys
import threading
import time
import urllib.parse

FLOOD_PER_SECOND = 200
HONEST_PER_SECOND = 4
SECONDS = 30
HONEST_ADDRESS = "192.0.2.10"


def sign_in(host, address, username, password):
    """Returns the status and the seconds."""
    body = urllib.parse.urlencode({"username": username, "password": password})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address}
    started = time.monotonic()
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request("POST", "/auth/token", body, headers)
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - started
    except OSError:
        return 0, time.monotonic() - started
    finally:
        connection.close()


def every(interval, until, work):
    """Starts `work(n)` at a fixed rate, each in a thread of its own."""
    threads, begun, n = [], time.monotonic(), 0
    while time.monotonic() < until:
        thread = threading.Thread(target=work, args=(n,), daemon=True)
        thread.start()
        threads.append(thread)
        n += 1
        time.sleep(max(0.0, begun + n * interval - time.monotonic()))
    for thread in threads:
        thread.join(timeout=30)


def percentile(times, part):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def main():
    host = urllib.parse.urlparse(sys.argv[1]).netloc
    username, password = sys.argv[2], sys.argv[3]
    # The network becomes known to the account.
    status, _ = sign_in(host, HONEST_ADDRESS, username, password)
    assert status == 200, f"the account cannot sign in: {status}"
    results, flood = [], []
    until = time.monotonic() + SECONDS

    def attack(n):
        address = f"198.{18 + n // 65536 % 2}.{n // 256 % 256}.{n % 256}"
        flood.append(sign_in(host, address, f"user{n % 5000}", "wrong password")[0])

    attacker = threading.Thread(target=every, args=(1 / FLOOD_PER_SECOND, until, attack))
    attacker.start()
    time.sleep(2)
    honest = lambda _: results.append(sign_in(host, HONEST_ADDRESS, username, password))
    every(1 / HONEST_PER_SECOND, until, honest)
    attacker.join()
    times = [seconds for _, seconds in results]
    refused = sum(status != 200 for status, _ in results)
    p50, p99 = percentile(times, 0.5) * 1000, percentile(times, 0.99) * 1000
    print(f"flood: {len(flood)} attempts, {flood.count(401)} hashed, {flood.count(503)} refused")
    print(f"honest: {len(times)} sign-ins, p50 {p50:.0f} ms, p99 {p99:.0f} ms, {refused} refused")
    sys.exit(0 if refused == 0 and p99 < 1000 else 1)


if __name__ == "__main__":
    main()
