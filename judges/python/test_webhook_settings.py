"""What a webhook presents to its receiver: certificates, bearer tokens, headers of its own. Each
is judged by the receiver that gets it, and none of its secrets ever comes back."""

import base64
import json

import jwt
import pytest
from fireblocks.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
    UnauthorizedException,
)
from fireblocks.models.create_webhook_mtls_config_request import CreateWebhookMtlsConfigRequest
from fireblocks.models.create_webhook_oauth_request import CreateWebhookOauthRequest
from fireblocks.models.create_webhook_request import CreateWebhookRequest
from fireblocks.models.update_webhook_mtls_config_request import UpdateWebhookMtlsConfigRequest
from fireblocks.models.update_webhook_oauth_request import UpdateWebhookOauthRequest
from fireblocks.models.update_webhook_request import UpdateWebhookRequest

from authority import Authority
from receiver import Keys, Receiver
from refusals import refused
from sandbox import Sandbox
from token_server import TokenServer
from waiting import until

SECRET = "s3cret-of-the-client"
UNKNOWN = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def sandbox(authority, tmp_path_factory):
    with pytest.MonkeyPatch.context() as change:
        # Whom the sandbox believes, beside nobody.
        change.setenv("SSL_CERT_FILE", str(authority.path))
        sandbox = Sandbox(tmp_path_factory.mktemp("settings"))
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def fund(sandbox):
    return sandbox.workspaces["mainnet"]


@pytest.fixture(scope="module")
def api(fund):
    return fund["admin"].sdk.webhooks_v2


@pytest.fixture
def receiver(sandbox, authority):
    receiver = Receiver(Keys(sandbox.jwks_url), authority.context())
    yield receiver
    receiver.close()


@pytest.fixture
def strict(sandbox, authority):
    """A receiver that lets nobody in without a certificate."""
    receiver = Receiver(Keys(sandbox.jwks_url), authority.context(asks=True))
    yield receiver
    receiver.close()


@pytest.fixture
def tokens(authority):
    server = TokenServer(authority.context())
    yield server
    server.close()


@pytest.fixture
def make(api):
    made = []

    def make(url, **more):
        request = CreateWebhookRequest(url=url, events=["vault_account.created"], **more)
        made.append(api.create_webhook(request).result().data)
        return made[-1]

    yield make
    for webhook in made:
        api.delete_webhook(webhook.id).result()


def happen(fund, name):
    """An event; and what the receiver of a webhook was sent for it."""
    answer = fund["editor"].door.post("/v1/vault/accounts", {"name": name})
    assert answer.status == 200
    return answer.json["id"]


def told(fund, receiver, name):
    account = happen(fund, name)
    found = lambda: [d for d in receiver.deliveries if d.event.get("resourceId") == account]  # noqa: E731
    receiver.wait(f"the event of {name}", found)
    return found()[0]


def first_attempt(api, webhook):
    def look():
        rows = api.get_notifications(webhook.id, sort_by="createdAt").result().data.data
        tries = rows and api.get_notification_attempts(webhook.id, rows[0].id).result().data.data
        return tries and tries[0]

    return until("an attempt", look)


def config(api, authority, subject, algorithm=None, **more):
    csr = api.get_mtls_csr(key_algorithm=algorithm).result().data.csr
    request = CreateWebhookMtlsConfigRequest(signed_cert=authority.signed(csr, subject), **more)
    answer = api.create_webhook_mtls_config(request).result()
    assert answer.status_code == 201
    return answer.data


def test_a_request_of_each_key_always_the_same(api, fund):
    for algorithm in ("RSA", "ECDSA"):
        told = api.get_mtls_csr(key_algorithm=algorithm).result().data
        assert told.key_algorithm == algorithm
        assert api.get_mtls_csr(key_algorithm=algorithm).result().data == told
    older = fund["viewer"].door.get("/v1/webhooks/mtls/csr").json
    assert older["csr"] == api.get_mtls_csr().result().data.csr
    assert fund["admin"].door.get("/v1/webhooks_settings/mtls_csr?keyAlgorithm=DSA").status == 400


def test_certificates_are_kept_named_and_found_again(api, fund, authority):
    one = config(api, authority, "one", name="Gateway 1")
    two = config(api, authority, "two", algorithm="ECDSA")
    assert (one.name, two.name) == ("Gateway 1", None)
    assert one.expires_at > one.created_at
    again = CreateWebhookMtlsConfigRequest(signed_cert=one.signed_cert)
    assert api.create_webhook_mtls_config(again).result().data.id == one.id
    assert [c.id for c in api.get_webhook_mtls_configs().result().data] == [two.id, one.id]
    asked = api.get_webhook_mtls_configs(ids=[one.id, UNKNOWN]).result().data
    assert [c.id for c in asked] == [one.id]
    renamed = UpdateWebhookMtlsConfigRequest(name="Gateway 2")
    assert api.update_webhook_mtls_config(one.id, renamed).result().data.name == "Gateway 2"
    assert api.get_webhook_mtls_config(one.id).result().data.name == "Gateway 2"
    door, path = fund["admin"].door, f"/v1/webhooks_settings/mtls/{one.id}"
    for bad in ({}, {"name": "a-b"}, {"signedCert": "no PEM"}, {"signedCert": authority.stranger()}):
        assert door.send("PATCH", path, json.dumps(bad).encode()).status == 400, bad
    unnamed = door.send("PATCH", path, b'{"name":null}').json
    assert "name" not in unnamed and unnamed["signedCert"] == one.signed_cert
    with refused(BadRequestException, says="CSR"):
        stranger = CreateWebhookMtlsConfigRequest(signed_cert=authority.stranger())
        api.create_webhook_mtls_config(stranger).result()
    for made in (one, two):
        deleted = api.delete_webhook_mtls_config(made.id).result().data
        assert (deleted.id, deleted.detached_webhook_ids) == (made.id, [])
        with refused(NotFoundException):
            api.get_webhook_mtls_config(made.id).result()
    assert api.get_webhook_mtls_configs().result().data == []


def test_a_certificate_is_presented(api, fund, authority, strict, make):
    rsa = config(api, authority, "by rsa")
    webhook = make(strict.url("/mtls"), webhook_mtls_id=rsa.id)
    assert webhook.webhook_mtls_id == rsa.id
    assert told(fund, strict, "with a certificate").subject == "by rsa"
    # Another certificate under the same id; of the other key at that.
    csr = api.get_mtls_csr(key_algorithm="ECDSA").result().data.csr
    change = UpdateWebhookMtlsConfigRequest(signed_cert=authority.signed(csr, "by ecdsa"))
    api.update_webhook_mtls_config(rsa.id, change).result()
    assert told(fund, strict, "with another").subject == "by ecdsa"
    with refused(ConflictException, says=webhook.id):
        api.delete_webhook_mtls_config(rsa.id).result()
    deleted = api.delete_webhook_mtls_config(rsa.id, force_delete=True).result().data
    assert deleted.detached_webhook_ids == [webhook.id]
    assert api.get_webhook(webhook.id).result().data.webhook_mtls_id is None
    happen(fund, "without a certificate")
    assert first_attempt(api, webhook).failure_reason == "NO_RESPONSE"


def test_a_certificate_needs_tls_and_must_be_known(api, authority, receiver, make):
    made = config(api, authority, "here")
    with refused(BadRequestException, says="https"):
        make("http://127.0.0.1:1/", webhook_mtls_id=made.id)
    for field in ("webhook_mtls_id", "webhook_oauth_id"):
        with refused(NotFoundException):
            make(receiver.url("/unknown"), **{field: UNKNOWN})
    api.delete_webhook_mtls_config(made.id).result()


def test_headers_of_its_own(api, fund, receiver, make):
    headers = {"X-Gateway-Key": "k3y-of-the-gateway", "X-Region": ["eu", "us"], "Authorization": "Basic x"}
    webhook = make(receiver.url("/headers"), custom_headers=headers)
    assert webhook.custom_headers == ["authorization", "x-gateway-key", "x-region"]
    delivery = told(fund, receiver, "with headers")
    assert delivery.headers["x-gateway-key"] == "k3y-of-the-gateway"
    assert [v for n, v in delivery.lines if n == "x-region"] == ["eu", "us"]
    assert delivery.headers["authorization"] == "Basic x"
    door, path = fund["admin"].door, f"/v1/webhooks/{webhook.id}"

    def patch(change):
        return door.send("PATCH", path, json.dumps(change).encode())

    changed = patch({"customHeaders": {"X-REGION": None, "Authorization": None, "X-New": ""}})
    assert (changed.status, changed.json["customHeaders"]) == (200, ["x-gateway-key", "x-new"])
    delivery = told(fund, receiver, "with fewer")
    assert "x-region" not in delivery.headers and delivery.headers["x-new"] == ""
    for bad in (
        {"Host": "x"},
        {"Fireblocks-Signature": "x"},
        {"a b": "x"},
        {"X-A": []},
        {"X-A": "1", "x-a": "2"},
        {"Cookie": ["a", "b"]},
        {f"X-{n}": "1" for n in range(11)},
    ):
        assert patch({"customHeaders": bad}).status == 400, bad
    assert "customHeaders" not in patch({"customHeaders": None}).json
    for answer in (door.get(path), door.get("/v1/webhooks")):
        assert b"k3y-of-the-gateway" not in answer.body


def credentials(api, tokens, **more):
    fields = {"name": "of the judge", "client_id": "me", "client_secret": SECRET, "url": tokens.url}
    answer = api.create_webhook_oauth(CreateWebhookOauthRequest(**{**fields, **more})).result()
    assert answer.status_code == 201
    return answer.data


def test_a_bearer_token_fetched_once(api, fund, receiver, tokens, make):
    made = credentials(
        api, tokens, custom_body_params={"scope": "hooks"}, custom_headers={"X-Api-Key": "v4lue"}
    )
    assert (made.auth_method, made.custom_body_params, made.custom_headers) == (
        "client_secret_basic",
        ["scope"],
        ["x-api-key"],
    )
    webhook = make(receiver.url("/oauth"), webhook_oauth_id=made.id)
    assert webhook.webhook_oauth_id == made.id
    for name in ("with a token", "with the same token"):
        assert told(fund, receiver, name).headers["authorization"] == "Bearer token-1"
    ((headers, form, _),) = tokens.asked
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == f"me:{SECRET}".encode()
    assert (form, headers["x-api-key"]) == ({"grant_type": "client_credentials", "scope": "hooks"}, "v4lue")
    # A receiver that refuses the token gets another one next time.
    receiver.answer = 401
    told(fund, receiver, "refused")
    receiver.answer = 200
    assert told(fund, receiver, "with another token").headers["authorization"] == "Bearer token-2"
    # The secret is another one now, and stands in the form.
    change = UpdateWebhookOauthRequest(client_secret="an0ther", auth_method="client_secret_post")
    api.update_webhook_oauth(made.id, change).result()
    told(fund, receiver, "after a change")
    headers, form, _ = tokens.asked[-1]
    assert form["client_secret"] == "an0ther" and "authorization" not in headers
    with refused(BadRequestException, says="authorization"):
        request = UpdateWebhookRequest(custom_headers={"Authorization": "x"})
        api.update_webhook(webhook.id, request).result()
    with refused(ConflictException, says=webhook.id):
        api.delete_webhook_oauth(made.id).result()
    deleted = api.delete_webhook_oauth(made.id, force_delete=True).result().data
    assert deleted.detached_webhook_ids == [webhook.id]
    assert "authorization" not in told(fund, receiver, "without a token").headers


def test_a_token_by_assertion_and_certificate(api, fund, authority, receiver, make):
    certificate = config(api, authority, "at the token endpoint")
    tokens = TokenServer(authority.context(asks=True))
    try:
        made = credentials(
            api,
            tokens,
            auth_method="client_secret_jwt",
            client_secret=SECRET * 2,
            custom_jwt_claims={"aud": "https://auth.example", "resource": [1, 2]},
            webhook_mtls_id=certificate.id,
        )
        make(receiver.url("/jwt"), webhook_oauth_id=made.id)
        assert told(fund, receiver, "by assertion").headers["authorization"] == "Bearer token-1"
        ((headers, form, shown),) = tokens.asked
        assert "authorization" not in headers and "client_secret" not in form
        claims = jwt.decode(
            form["client_assertion"], SECRET * 2, algorithms=["HS256"], audience="https://auth.example"
        )
        assert (claims["iss"], claims["sub"], claims["resource"]) == ("me", "me", [1, 2])
        assert claims["exp"] > claims["iat"] and claims["jti"]
        assert dict(pair for (pair,) in shown["subject"])["commonName"] == "at the token endpoint"
    finally:
        tokens.close()
    deleted = api.delete_webhook_mtls_config(certificate.id, force_delete=True).result().data
    assert deleted.detached_webhook_oauth_ids == [made.id]
    assert api.get_webhook_oauth(made.id).result().data.webhook_mtls_id is None


def test_no_token_no_delivery(api, fund, receiver, tokens, make):
    tokens.status = 403
    webhook = make(receiver.url("/no-token"), webhook_oauth_id=credentials(api, tokens).id)
    happen(fund, "with no token at all")
    told = first_attempt(api, webhook)
    assert (told.response_code, told.failure_reason) == (None, "NO_RESPONSE")
    assert receiver.deliveries == []


def test_credentials_are_listed_changed_and_never_told(api, fund, tokens):
    made = credentials(api, tokens, custom_jwt_claims={"aud": "v4lue"}, name="first")
    listed = api.get_webhook_oauths().result().data
    assert made.id == listed[0].id and api.get_webhook_oauth(made.id).result().data == made
    door, path = fund["admin"].door, f"/v1/webhooks_settings/oauth/{made.id}"
    change = {"name": "second", "customJwtClaims": None, "webhookMtlsId": None}
    changed = door.send("PATCH", path, json.dumps(change).encode()).json
    assert changed["name"] == "second" and "customJwtClaims" not in changed
    everything = door.get(path).body + door.get("/v1/webhooks_settings/oauth").body
    assert SECRET.encode() not in everything and b"v4lue" not in everything
    for bad in (
        {"name": ""},
        {"clientSecret": "ü" * 241},
        {"authMethod": "none"},
        {"url": "no url"},
        {"customJwtClaims": {"iss": "x"}},
        {"customBodyParams": {"grant_type": "x"}},
        {"customHeaders": {"Authorization": "x"}},
        {"name": 5},
    ):
        assert door.send("PATCH", path, json.dumps(bad).encode()).status == 400, bad
    assert door.post("/v1/webhooks_settings/oauth", {"name": "n"}).status == 400
    for ask in (
        lambda: api.get_webhook_oauth(UNKNOWN),
        lambda: api.delete_webhook_oauth(UNKNOWN),
        lambda: api.update_webhook_oauth("no-uuid", UpdateWebhookOauthRequest(name="n")),
        lambda: api.update_webhook_oauth(made.id, UpdateWebhookOauthRequest(webhook_mtls_id=UNKNOWN)),
    ):
        with refused(NotFoundException):
            ask().result()
    with refused(UnauthorizedException, -8):
        fund["editor"].sdk.webhooks_v2.delete_webhook_oauth(made.id).result()
    api.delete_webhook_oauth(made.id).result()


def test_settings_within_the_webhook_as_older_clients_send_them(api, fund, authority, strict, tokens):
    cert = authority.signed(api.get_mtls_csr().result().data.csr, "within")
    body = {
        "url": strict.url("/within"),
        "events": ["vault_account.created"],
        "mtls": {"clientSignedCert": cert},
        "oauth": {"clientId": "me", "clientSecret": SECRET, "url": tokens.url},
    }
    door = fund["admin"].door
    made = door.post("/v1/webhooks", body)
    assert made.status == 201 and SECRET.encode() not in made.body
    shown = made.json
    assert shown["mtls"] == {"clientSignedCert": cert}
    assert shown["oauth"] == {"clientId": "me", "url": tokens.url}
    assert api.get_webhook_mtls_config(shown["webhookMtlsId"]).result().data.signed_cert == cert
    delivery = told(fund, strict, "within")
    assert (delivery.subject, delivery.headers["authorization"]) == ("within", "Bearer token-1")
    path = f"/v1/webhooks/{shown['id']}"
    both = {"mtls": body["mtls"], "webhookMtlsId": shown["webhookMtlsId"]}
    assert door.send("PATCH", path, json.dumps(both).encode()).status == 400
    bare = door.send("PATCH", path, json.dumps({"mtls": None, "oauth": None}).encode()).json
    assert not {"mtls", "oauth", "webhookMtlsId", "webhookOauthId"} & set(bare)
    assert door.send("DELETE", path).status == 200
