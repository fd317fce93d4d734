"""Tokens that must not open the door, and those of real clients that must."""

import base64
import hashlib
import hmac
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from fireblocks.client import Fireblocks
from fireblocks.client_configuration import ClientConfiguration
from fireblocks.exceptions import UnauthorizedException

from refusals import refused

TARGET = "/v1/workspace"
STRANGER = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"


@pytest.fixture(scope="module")
def door(fund):
    return fund["viewer"].door


@pytest.fixture(scope="module")
def other_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def bearer(door, token):
    return [("X-API-Key", door.api_key), ("Authorization", f"Bearer {token}")]


def is_refused(answer, code):
    assert (answer.status, answer.code) == (401, code), (answer.status, answer.body)
    assert answer.json["message"] and uuid.UUID(answer.headers["X-Request-ID"])


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header, claims, sign=lambda signed: b""):
    """A token of any header, signed in any way."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{b64(header)}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def test_a_good_one_opens(door, fund):
    assert door.get(TARGET).json["id"] == fund.id


def test_the_client_with_a_wrong_key(seeded, fund, other_key):
    pem = other_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for api_key, secret, code in (
        (fund["viewer"].id, pem, -1),
        (fund["viewer"].id, fund["editor"].secret, -1),
        (fund["editor"].id, fund["viewer"].secret, -1),
        (STRANGER, fund["viewer"].secret, -7),
        ("no-uuid", fund["viewer"].secret, -7),
    ):
        configuration = ClientConfiguration(
            api_key=api_key, secret_key=secret, base_path=seeded.base_url
        )
        with Fireblocks(configuration) as client, refused(UnauthorizedException, code):
            client.workspace.get_workspace().result()


def test_signed_by_another(door, other_key):
    is_refused(door.get(TARGET, token=door.token(TARGET, key=other_key)), -1)
    good = door.token(TARGET)
    head, claims, signature = good.split(".")
    for token in (
        f"{head}.{claims}.{'A' * len(signature)}",
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:680]}",
    ):
        is_refused(door.get(TARGET, token=token), -1)
    changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
    changed["nonce"] = "another"
    is_refused(door.get(TARGET, token=f"{head}.{b64(json.dumps(changed).encode())}.{signature}"), -1)


def test_out_of_its_time(door):
    now = int(time.time())
    for iat, exp, code in (
        (now - 120, now - 65, -10),
        (now - 56, now - 1, -10),
        (now + 60, now + 115, -12),
        (now + 3600, now + 3655, -12),
        (now, now + 61, -7),
        (now, now + 86_400, -7),
        (now, 2**62, -7),
        (-(2**62), 2**62, -7),
        (0, now + 30, -7),
        (now + 3, now + 3, -7),
    ):
        is_refused(door.get(TARGET, iat=iat, exp=exp), code)
    for iat, exp in ((now, now + 60), (now - 20, now + 35), (now + 2, now + 57)):
        assert door.get(TARGET, iat=iat, exp=exp).status == 200


def test_another_algorithm(door, fund):
    claims = door.claims(TARGET)
    public = door.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    curve = ec.generate_private_key(ec.SECP256R1())
    def hs256(signed, key=public):
        return hmac.new(key, signed, hashlib.sha256).digest()

    for token in (
        by_hand({"alg": "none", "typ": "JWT"}, claims),
        by_hand({"alg": "None", "typ": "JWT"}, claims),
        by_hand({"typ": "JWT"}, claims),
        by_hand({"alg": "HS256", "typ": "JWT"}, claims, hs256),
        by_hand({"alg": "HS256", "typ": "JWT"}, claims, lambda s: hs256(s, public.strip())),
        by_hand({"alg": "ES256", "typ": "JWT"}, claims, lambda s: curve.sign(s, ec.ECDSA(hashes.SHA256()))),
        jwt.encode(claims, curve, algorithm="ES256"),
        door.token(TARGET, alg="RS512"),
        door.token(TARGET, alg="PS256"),
        jwt.encode(claims, door.key, algorithm="RS256", headers={"jku": "http://127.0.0.1/"}),
        jwt.encode(claims, door.key, algorithm="RS256", headers={"crit": ["b64"], "b64": False}),
        jwt.encode(claims, door.key, algorithm="RS256", headers={"typ": "JOSE"}),
    ):
        is_refused(door.get(TARGET, token=token), -5)
    # Signed rightly, but under a header that two readers could take differently.
    def rs256(signed):
        return door.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())

    twice = b'{"alg":"none","typ":"JWT","alg":"RS256"}'
    is_refused(door.get(TARGET, token=by_hand(twice, claims, rs256)), -5)
    assert door.get(TARGET, token=by_hand({"alg": "RS256"}, claims, rs256)).status == 200


def test_not_a_token(door):
    good = door.token(TARGET)
    for token in (
        "x",
        "..",
        "a.b.c",
        good + ".x",
        good.replace(".", "..", 1),
        good.replace(".", ".=", 1),
        good[: good.rindex(".")],
        "é",
        "A" * 40_000,
        by_hand({"alg": "RS256"}, []),
        by_hand({"alg": "RS256"}, {}),
        by_hand(b"[]", {}),
        by_hand(b"[" * 5000, {}),
    ):
        headers = [("X-API-Key", door.api_key), ("Authorization", f"Bearer {token}".encode())]
        is_refused(door.get(TARGET, headers=headers), -5)


def test_another_target(fund):
    door = fund["viewer"].door
    asked = "/v1/vault/accounts_paged?limit=5&namePrefix=Client%20001"
    for signed in (
        "/v1/vault/accounts_paged",
        "/v1/vault/accounts_paged?limit=5",
        "/v1/vault/accounts_paged?limit=5&namePrefix=Client 001",
        "/v1/vault/accounts_paged?limit=5&namePrefix=Client+001",
        "/v1/vault/accounts_paged?namePrefix=Client%20001&limit=5",
        "/vault/accounts_paged?limit=5&namePrefix=Client%20001",
        "http://127.0.0.1/v1/vault/accounts_paged?limit=5&namePrefix=Client%20001",
        "",
    ):
        is_refused(door.get(asked, token=door.token(signed)), -4)
    for target in (asked, asked.replace("%20", "+"), asked + "&", "/v1/vault/accounts_paged?"):
        assert door.get(target).status == 200, target


def test_another_user(fund):
    viewer, editor = fund["viewer"].door, fund["editor"].door
    is_refused(viewer.get(TARGET, token=editor.token(TARGET)), -6)
    is_refused(viewer.get(TARGET, sub=editor.api_key), -6)
    is_refused(viewer.get(TARGET, sub="x"), -6)
    is_refused(viewer.get(TARGET, sub=None), -2)
    is_refused(viewer.get(TARGET, sub=""), -2)


def test_claims_of_another_form(door):
    for change in (
        {"uri": None},
        {"uri": 7},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": "x" * 257},
        {"nonce": 1.5},
        {"nonce": -1},
        {"nonce": 2**64},
        {"nonce": ["x"]},
        {"iat": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": 1e300},
        {"bodyHash": None},
        {"bodyHash": "x"},
        {"bodyHash": hashlib.sha256(b"").hexdigest().upper()},
        {"sub": 5},
    ):
        token = by_hand({"alg": "RS256"}, door.claims(TARGET, **change))
        is_refused(door.get(TARGET, token=token), -5)


def test_a_nonce_works_once(fund):
    door = fund["viewer"].door
    token = door.token(TARGET)
    assert door.get(TARGET, token=token).status == 200
    is_refused(door.get(TARGET, token=token), -7)
    assert door.get(TARGET, nonce="same").status == 200
    is_refused(door.get(TARGET, nonce="same"), -7)
    assert fund["editor"].door.get(TARGET, nonce="same").status == 200, "a nonce is its user's"
    number = uuid.uuid4().int % 2**63
    assert door.get(TARGET, nonce=number).status == 200, "some clients send numbers"
    is_refused(door.get(TARGET, nonce=number), -7)
    is_refused(door.get(TARGET, nonce=str(number)), -7)


def test_the_body_it_was_made_for(lively):
    door = lively.workspaces["mainnet"]["editor"].door
    target, body = "/v1/vault/accounts", b'{"name": "Hashed"}'
    for token in (
        door.token(target),
        door.token(target, body.replace(b"H", b"h")),
        door.token(target, body + b" "),
        door.token(target, b'""'),
    ):
        is_refused(door.send("POST", target, body, token=token), -7)
    listed = door.get("/v1/vault/accounts_paged?namePrefix=Hashed").json
    assert listed["accounts"] == []
    # A token that promised a body is not good for none.
    is_refused(door.send("POST", target, token=door.token(target, body)), -7)
    assert door.send("POST", target, body).status == 200


def test_what_clients_hash_where_there_is_no_body(door):
    for nothing in (b"", b'""', b"null"):
        assert door.get(TARGET, bodyHash=hashlib.sha256(nothing).hexdigest()).status == 200
    is_refused(door.get(TARGET, bodyHash=hashlib.sha256(b"{}").hexdigest()), -7)


def test_headers_missing_or_doubled(door):
    key, other = ("X-API-Key", door.api_key), ("X-API-Key", STRANGER)

    def token():
        return ("Authorization", f"Bearer {door.token(TARGET)}")

    for headers, code in (
        ([], -2),
        ([token()], -2),
        ([("X-API-Key", ""), token()], -2),
        ([key], -3),
        ([key, ("Authorization", "")], -3),
        ([key, ("Authorization", "Bearer")], -3),
        ([key, ("Authorization", "Bearer ")], -3),
        ([key, ("Authorization", "Basic dXNlcjpwYXNz")], -3),
        ([key, key, token()], -5),
        ([key, other, token()], -5),
        ([other, key, token()], -5),
        ([key, token(), token()], -5),
        ([other, token()], -7),
        ([("X-API-Key", "no-uuid"), token()], -7),
    ):
        is_refused(door.get(TARGET, headers=headers), code)


def test_no_operation_is_named_to_who_may_not_come_in(door, other_key):
    """What exists and what does not are told apart only past the door."""
    for target in ("/v1/workspace", "/v1/nothing", "/v1/management/users"):
        is_refused(door.get(target, token=door.token(target, key=other_key)), -1)
        is_refused(door.get(target, headers=[]), -2)
    assert door.get("/v1/nothing").status == 404
    assert door.get("/nothing").status == 404


def test_a_key_of_another_workspace_sees_its_own(seeded):
    for workspace in seeded.workspaces.values():
        assert workspace["viewer"].door.get(TARGET).json["id"] == workspace.id
