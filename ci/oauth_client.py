"""Signs in, refreshes and signs out with requests-oauthlib's LegacyApplicationClient, as existing clients do, and
checks the responses that docs/api.md specifies.

    OAUTHLIB_INSECURE_TRANSPORT=1 python3 ci/oauth_client.py http://127.0.0.1:8000
"""

import sys
import time

import requests
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session

URL = sys.argv[1]
TOKEN_URL = f"{URL}/auth/token"
NAME, PASSWORD = "ada", "seven lathes hum at dawn"


def same(found, wanted, what):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"


def refused(answer, status, detail, what):
    same(answer.status_code, status, f"{what}, status")
    same(answer.json()["detail"], detail, f"{what}, detail")
    return answer


def a_name_is_registered_once():
    body = {"username": NAME, "password": PASSWORD}
    first = requests.post(f"{URL}/auth/register", json=body)
    same(first.status_code, 201, "register")
    same(first.json(), {"username": NAME, "display_name": first.json()["display_name"], "is_admin": False}, "register")
    again = refused(requests.post(f"{URL}/auth/register", json=body), 409, "Username already registered", "again")
    same(again.headers["Content-Type"].split(";")[0], "application/problem+json", "a problem's type")


def registering_never_makes_an_administrator():
    body = {"username": "eve", "password": PASSWORD, "is_admin": True}
    answer = requests.post(f"{URL}/auth/register", json=body)
    assert answer.status_code == 422 or answer.json()["is_admin"] is False, answer.text


def the_password_grant_gives_a_bearer_token(client_id):
    session = OAuth2Session(client=LegacyApplicationClient(client_id=client_id))
    token = session.fetch_token(TOKEN_URL, username=NAME, password=PASSWORD)
    same(token["token_type"].lower(), "bearer", "token_type")
    same(token["expires_in"], 1800, "expires_in")
    assert token["refresh_token"].startswith("sr_rt_"), "the refresh token has no prefix"
    same(session.get(f"{URL}/auth/me").json()["username"], NAME, "who I am")
    return token


def token_answers_are_plain_json_that_nobody_stores():
    for password, status in ((PASSWORD, 200), ("wrong " + PASSWORD, 401)):
        answer = requests.post(TOKEN_URL, data={"username": NAME, "password": password})
        same(answer.status_code, status, "status")
        same(answer.headers["Content-Type"].split(";")[0], "application/json", f"Content-Type of a {status}")
        same(answer.headers.get("Cache-Control"), "no-store", f"Cache-Control of a {status}")
        same(answer.headers.get("Pragma"), "no-cache", f"Pragma of a {status}")


def a_bad_login_is_refused_alike_known_or_not():
    words = "Incorrect username or password"
    answers = []
    for name in (NAME, "nobody-of-that-name"):
        answer = requests.post(TOKEN_URL, data={"grant_type": "password", "username": name, "password": "no " * 6})
        refused(answer, 401, words, f"bad login of {name}")
        same(answer.json()["error"], "invalid_grant", "error")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer"), "a 401 names its scheme"
        answers.append({key: value for key, value in answer.json().items() if key not in ("request_id", "instance")})
    same(answers[0], answers[1], "known and unknown user")
    try:
        OAuth2Session(client=LegacyApplicationClient(client_id=None)).fetch_token(
            TOKEN_URL, username=NAME, password="no " * 6)
    except InvalidGrantError as error:
        same(error.description, answers[0]["error_description"], "error_description")
    else:
        raise AssertionError("oauthlib returned a token for a bad password")


def an_expired_token_is_refreshed_by_the_library(token):
    """Returns the token that the library requested."""
    renewed = []
    session = OAuth2Session(
        client=LegacyApplicationClient(client_id="strongroom"), token={**token, "expires_in": -10, "expires_at": 1},
        auto_refresh_url=TOKEN_URL, auto_refresh_kwargs={}, token_updater=renewed.append)
    same(session.get(f"{URL}/auth/me").status_code, 200, "after the refresh")
    same(len(renewed), 1, "refreshes")
    assert renewed[0]["refresh_token"] != token["refresh_token"], "the refresh token was not rotated"
    assert renewed[0]["access_token"] != token["access_token"], "the access token is the old one"
    return renewed[0]


def refresh(refresh_token):
    return requests.post(TOKEN_URL, data={"grant_type": "refresh_token", "refresh_token": refresh_token})


def a_replayed_refresh_token_ends_the_family(first, second):
    third = refresh(second["refresh_token"])
    same(third.status_code, 200, "the third generation")
    # The token is two generations old and its successor is used, so this is not a retry.
    replayed = refresh(first["refresh_token"])
    same(replayed.status_code, 400, "status of a replay")
    same(replayed.json()["error"], "invalid_grant", "replay")
    ended = refresh(third.json()["refresh_token"])
    same(ended.status_code, 400, "the family after a replay")
    same(ended.json()["error"], "invalid_grant", "the family after a replay")
    time.sleep(1)
    bearer = {"Authorization": f"Bearer {third.json()['access_token']}"}
    refused(requests.get(f"{URL}/auth/me", headers=bearer), 401, "Could not validate credentials", "after a replay")


def a_revoked_token_is_refused_within_a_second():
    token = the_password_grant_gives_a_bearer_token(None)
    session = OAuth2Session(client=LegacyApplicationClient(client_id=None), token=token)
    client = LegacyApplicationClient(client_id=None, token=token)
    url, headers, body = client.prepare_token_revocation_request(
        f"{URL}/auth/revoke".replace("http:", "https:"), token["refresh_token"], "refresh_token")
    revoked = requests.post(url.replace("https:", "http:"), headers=headers, data=body)
    same(revoked.status_code, 200, "revoke")
    time.sleep(1)
    refused(session.get(f"{URL}/auth/me"), 401, "Could not validate credentials", "revoked")
    same(requests.post(f"{URL}/auth/revoke", data={"token": "unknown"}).status_code, 200, "revoking an unknown token")


def a_missing_token_and_a_bad_one_are_told_apart():
    words = "Could not validate credentials"
    missing = refused(requests.get(f"{URL}/auth/me"), 401, words, "no token").headers["WWW-Authenticate"]
    assert missing.startswith("Bearer") and "error" not in missing, missing
    for bad in ("rubbish", "a.b.c", "sr_pat_" + "a" * 43):
        answer = requests.get(f"{URL}/auth/me", headers={"Authorization": f"Bearer {bad}"})
        challenge = refused(answer, 401, words, f"token {bad}").headers["WWW-Authenticate"]
        assert 'error="invalid_token"' in challenge, challenge


def main():
    a_name_is_registered_once()
    registering_never_makes_an_administrator()
    # With a client id, requests-oauthlib sends it by HTTP Basic too; the server must accept that.
    the_password_grant_gives_a_bearer_token("strongroom")
    first = the_password_grant_gives_a_bearer_token(None)
    token_answers_are_plain_json_that_nobody_stores()
    a_bad_login_is_refused_alike_known_or_not()
    second = an_expired_token_is_refreshed_by_the_library(first)
    a_replayed_refresh_token_ends_the_family(first, second)
    a_revoked_token_is_refused_within_a_second()
    a_missing_token_and_a_bad_one_are_told_apart()
    print("requests-oauthlib signs in, refreshes and signs out; every error has its documented text")


main()
