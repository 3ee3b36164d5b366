#!/usr/bin/env python3
"""Measures the memory of unread downloads and stalled uploads.

    strongroom serve --listen 127.0.0.1:8000 &
    python3 bench/idle_transfers.py http://127.0.0.1:8000 ada "correct horse battery staple" $!

Opens 1,000 downloads that read nothing, then 1,000 uploads that stop after their first bytes. The targets: at most
128 MiB more than before, and at most 16 MiB a minute after they ended.
"""

import http.client
import json
import socket
import sys
import time
import urllib.parse

COUNT = 1000
FILE_BYTES = 20 << 20
FIRST_BYTES = 200_000
BOUNDARY = "b"


def memory_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def sign_in(host, username, password):
    connection = http.client.HTTPConnection(host)
    body = urllib.parse.urlencode({"username": username, "password": password})
    connection.request("POST", "/auth/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
    return json.loads(connection.getresponse().read())["access_token"]


def form_head():
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode()


def upload_head(token, name, length):
    return (
        f"PUT /api/files/{name}/content HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def add_file(host, token):
    body = form_head() + bytes(FILE_BYTES) + f"\r\n--{BOUNDARY}--\r\n".encode()
    connection = http.client.HTTPConnection(host)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    connection.request("PUT", "/api/files/large.bin/content", body, headers)
    status = connection.getresponse().status
    assert status in (201, 409), status


def connect(host):
    address, port = host.split(":")
    connection = socket.create_connection((address, int(port)))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return connection


def download(host, token, _):
    connection = connect(host)
    request = f"GET /api/files/large.bin/content HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    connection.sendall(request.encode())
    return connection


def upload(host, token, n):
    connection = connect(host)
    connection.sendall(upload_head(token, f"stalled{n}.bin", FILE_BYTES) + form_head() + bytes(FIRST_BYTES))
    return connection


def measure(name, host, token, pid, begin):
    before = memory_mib(pid)
    connections = [begin(host, token, n) for n in range(COUNT)]
    most = 0.0
    for _ in range(10):
        time.sleep(1)
        most = max(most, memory_mib(pid) - before)
    for connection in connections:
        connection.close()
    time.sleep(60)
    after = memory_mib(pid) - before
    print(f"{COUNT} {name}: {most:.0f} MiB more, {after:.0f} MiB a minute after their end", flush=True)
    return most <= 128 and after <= 16


def main():
    host = urllib.parse.urlparse(sys.argv[1]).netloc
    token, pid = sign_in(host, sys.argv[2], sys.argv[3]), int(sys.argv[4])
    add_file(host, token)
    time.sleep(2)
    unread = measure("unread downloads", host, token, pid, download)
    stalled = measure("stalled uploads", host, token, pid, upload)
    sys.exit(0 if unread and stalled else 1)


if __name__ == "__main__":
    main()
