"""Receives events with the `websockets` library while files change, until the session ends.

    python3 ci/socket_client.py http://127.0.0.1:8000
"""

import asyncio
import json
import sys
import time

import requests
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

URL = sys.argv[1]
SOCKET = URL.replace("http:", "ws:") + "/ws"
PASSWORD = "seven lathes hum at dawn"


def signed_in(name):
    requests.post(f"{URL}/auth/register", json={"username": name, "password": PASSWORD}).raise_for_status()
    answer = requests.post(f"{URL}/auth/token", data={"username": name, "password": PASSWORD})
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def change(action, bearer, **more):
    method = "PUT" if action == "content" else "POST"
    answer = requests.request(method, f"{URL}/api/files/vise.step/{action}", headers=bearer, **more)
    answer.raise_for_status()


async def receive(socket):
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def events_arrive_with_who_and_what(bearer, by):
    async with connect(SOCKET, additional_headers=bearer) as socket:
        await asyncio.to_thread(change, "content", by, files={"file": ("vise.step", b"solid vise")})
        added = await receive(socket)
        await asyncio.to_thread(change, "checkout", by)
        taken = await receive(socket)
    assert (added["event"], added["by"]) == ("file_updated", "bob"), added
    assert (taken["action"], taken["data"]["locked_by"]) == ("checkout", "bob"), taken
    assert taken["data"]["status"] == "locked", f"seen by another, it is locked: {taken}"
    assert taken["id"] > added["id"], "ids grow"
    return added["id"]


async def nothing_is_missed_from_a_number_on(bearer, since):
    async with connect(f"{SOCKET}?since={since}", additional_headers=bearer) as socket:
        again = await receive(socket)
    assert again["id"] > since and again["action"] == "checkout", again


async def a_ticket_opens_one_socket(bearer):
    answer = await asyncio.to_thread(requests.post, f"{URL}/auth/ws-ticket", headers=bearer)
    answer.raise_for_status()
    ticket = answer.json()["ticket"]
    async with connect(f"{SOCKET}?ticket={ticket}"):
        pass
    await is_refused(f"{SOCKET}?ticket={ticket}", {})


async def is_refused(url, headers):
    try:
        async with connect(url, additional_headers=headers) as socket:
            await asyncio.wait_for(socket.recv(), 2)
    except InvalidStatus as refusal:
        assert refusal.response.status_code in (401, 403), refusal
    except ConnectionClosed as closed:
        assert closed.rcvd and closed.rcvd.code in (4001, 4003), closed
    else:
        raise AssertionError(f"{url} accepted an unauthenticated client")


async def the_socket_closes_with_the_session(bearer):
    async with connect(SOCKET, additional_headers=bearer) as socket:
        answer = await asyncio.to_thread(requests.post, f"{URL}/auth/logout", headers=bearer)
        assert answer.status_code == 204, answer.text
        ended = time.monotonic()
        try:
            await asyncio.wait_for(socket.recv(), 5)
        except ConnectionClosed as closed:
            assert closed.rcvd and closed.rcvd.code == 4001, closed
        else:
            raise AssertionError("an event after the sign-out")
        assert time.monotonic() - ended < 1.5, "the socket outlived its session"


async def main():
    ada, bob = signed_in("ada"), signed_in("bob")
    since = await events_arrive_with_who_and_what(ada, bob)
    await nothing_is_missed_from_a_number_on(ada, since)
    await a_ticket_opens_one_socket(ada)
    await is_refused(SOCKET, {})
    await is_refused(SOCKET, {"Authorization": "Bearer rubbish"})
    await the_socket_closes_with_the_session(ada)
    print("websockets receives every change, resumes, and is closed when its session ends")


asyncio.run(main())
