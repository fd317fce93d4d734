"""NFTs: which accounts own them, and what people say of them."""

import json

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.token_ownership_spam_update_payload import TokenOwnershipSpamUpdatePayload
from fireblocks.models.token_ownership_status_update_payload import TokenOwnershipStatusUpdatePayload
from fireblocks.models.update_token_ownership_status_dto import UpdateTokenOwnershipStatusDto

from events import heard
from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def nfts(fund):
    return fund["editor"].sdk.nfts


def everything(ask, **filters):
    found, cursor = [], None
    while True:
        page = ask(page_cursor=cursor, **filters).result().data
        found += page.data
        cursor = page.paging.next
        if not cursor:
            return found


def owned(nfts, **filters):
    return everything(nfts.get_ownership_tokens, **filters)


def test_what_is_owned(fund, nfts):
    rows = owned(nfts)
    assert len(rows) == len(owned(nfts, page_size=3)) > 12
    assert {r.blockchain_descriptor for r in rows} == {"ETH", "POLYGON"}
    tokens = everything(nfts.list_owned_tokens, page_size=4)
    assert {t.id for t in tokens} == {r.id for r in rows} and len(tokens) < len(rows)
    collections = everything(nfts.list_owned_collections, page_size=3)
    assert {c.id for c in collections} == {r.collection.id for r in rows}
    assert len(collections) == 4
    one = nfts.get_nft(id=tokens[0].id).result().data
    assert one == tokens[0]
    several = everything(nfts.get_nfts, ids=",".join([tokens[0].id, tokens[3].id, "rando"]))
    assert {t.id for t in several} == {tokens[0].id, tokens[3].id}
    with refused(NotFoundException):
        nfts.get_nft(id="rando").result()
    with refused(UnauthorizedException, -8):
        fund["viewer"].sdk.nfts.get_ownership_tokens().result()


def test_filters_and_orders(fund, nfts):
    rows = owned(nfts)

    def ids(**filters):
        return {(r.id, r.vault_account_id) for r in owned(nfts, **filters)}

    def those(takes):
        return {(r.id, r.vault_account_id) for r in rows if takes(r)}

    foxes = next(r.collection for r in rows if r.collection.name == "Copper Foxes")
    two = [rows[0].id, rows[-1].id]
    assert ids(blockchain_descriptor="ETH") == those(lambda r: r.blockchain_descriptor == "ETH") != set()
    assert ids(vault_account_ids="0,2") == those(lambda r: r.vault_account_id in ("0", "2")) != set()
    assert ids(collection_ids=foxes.id) == those(lambda r: r.collection.id == foxes.id) != set()
    assert ids(ids=",".join(two)) == those(lambda r: r.id in two)
    assert ids(spam="true") == those(lambda r: r.spam.result) != set()
    assert ids(spam="false") == those(lambda r: not r.spam.result) != set()
    assert ids(search="foxes") == those(lambda r: "Foxes" in r.collection.name)
    assert ids(wallet_type="END_USER_WALLET") == ids(ncw_id="1") == set()
    names = [r.collection.name for r in owned(nfts, sort=["collection.name"], page_size=4)]
    assert names == sorted(names)
    times = [r.ownership_last_update_time for r in owned(nfts, sort=["ownershipLastUpdateTime"], order="DESC")]
    assert times == sorted(times, reverse=True)
    for target in (
        "/v1/nfts/ownership/tokens?pageSize=0",
        "/v1/nfts/ownership/tokens?pageSize=101",
        "/v1/nfts/ownership/tokens?sort=rando",
        "/v1/nfts/ownership/tokens?status=rando",
        "/v1/nfts/ownership/tokens?pageCursor=rando",
        "/v1/nfts/ownership/tokens?ids=" + ",".join("x" * 101),
        "/v1/nfts/tokens",
    ):
        assert fund["editor"].door.get(target).status == 400, target


def test_what_people_say(nfts):
    rows = [r for r in owned(nfts) if r.collection.name == "Desk Passes"]
    token = rows[0].id

    def now():
        return [r for r in owned(nfts, ids=token)]

    before = now()
    assert len(before) == 2, "two accounts own some of it"
    nfts.update_token_ownership_status(
        id=token, update_token_ownership_status_dto=UpdateTokenOwnershipStatusDto(status="ARCHIVED")
    ).result()
    assert {r.status for r in now()} == {"ARCHIVED"}
    assert all(a.ownership_last_update_time > b.ownership_last_update_time for a, b in zip(now(), before))
    assert token not in {t.id for t in everything(nfts.list_owned_tokens, status="LISTED")}
    assert token in {t.id for t in everything(nfts.list_owned_tokens, status="ARCHIVED")}
    back = TokenOwnershipStatusUpdatePayload(asset_id=token, status="LISTED")
    nfts.update_tokens_ownership_status(token_ownership_status_update_payload=[back]).result()
    assert {r.status for r in now()} == {"LISTED"}
    spam = TokenOwnershipSpamUpdatePayload(asset_id=token, spam=True)
    nfts.update_tokens_ownership_spam(token_ownership_spam_update_payload=[spam]).result()
    assert {(r.spam.result, r.spam.source) for r in now()} == {(True, "OWNER")}
    assert token in {t.id for t in everything(nfts.list_owned_tokens, spam="true")}
    bad = [
        TokenOwnershipSpamUpdatePayload(asset_id=token, spam=False),
        TokenOwnershipSpamUpdatePayload(asset_id="rando", spam=False),
    ]
    with refused(NotFoundException):
        nfts.update_tokens_ownership_spam(token_ownership_spam_update_payload=bad).result()
    assert {r.spam.result for r in now()} == {True}, "all or none"


def test_metadata_are_read(nfts):
    new = next(t for t in everything(nfts.list_owned_tokens) if not t.name)
    assert not new.media and not new.cached_metadata_uri
    assert nfts.refresh_nft_metadata(id=new.id).result().status_code == 202
    then = nfts.get_nft(id=new.id).result().data
    assert then.name and then.media[0].content_type == "IMAGE" and then.cached_metadata_uri
    with refused(NotFoundException):
        nfts.refresh_nft_metadata(id="rando").result()


def test_a_token_comes(fund, lively, nfts):
    def come(**more):
        told = {"vaultAccountId": "5", **more}
        return json.loads(fund.control("POST", "/incoming_nft", told))["id"]

    with heard(lively, fund, ["vault_account.nft.balance_updated"]) as events:
        hidden = come(seen=False)
        assert hidden not in {r.id for r in owned(nfts)}
        found = nfts.update_ownership_tokens(blockchain_descriptor="ETH", vault_account_id="5").result()
        assert found.status_code == 202
        event = events("vault_account.nft.balance_updated")
    assert (event["data"]["assetId"], event["data"]["vaultAccountId"]) == (hidden, "5")
    assert [r.vault_account_id for r in owned(nfts, ids=hidden)] == ["5"]
    seen = come()
    assert {r.id for r in owned(nfts, vault_account_ids="5")} == {hidden, seen}
    with refused(NotFoundException, 1004):
        nfts.update_ownership_tokens(blockchain_descriptor="ETH", vault_account_id="4000").result()
    assert fund["editor"].door.send("PUT", "/v1/nfts/ownership/tokens?vaultAccountId=5").status == 400
    with pytest.raises(BadRequestException):
        nfts.update_ownership_tokens(blockchain_descriptor="RANDO", vault_account_id="5").result()
