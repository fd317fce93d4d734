"""Tags on accounts, and groups of people."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.create_tag_request import CreateTagRequest
from fireblocks.models.update_tag_request import UpdateTagRequest
from fireblocks.models.user_group_create_request import UserGroupCreateRequest
from fireblocks.models.user_group_update_request import UserGroupUpdateRequest
from fireblocks.models.vault_accounts_tag_attachment_operations_request import (
    VaultAccountsTagAttachmentOperationsRequest,
)

from pages import by_cursor
from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


def attach(vaults, accounts, on=None, off=None):
    request = VaultAccountsTagAttachmentOperationsRequest(
        vault_account_ids=accounts, tag_ids_to_attach=on, tag_ids_to_detach=off
    )
    return vaults.attach_or_detach_tags_from_vault_accounts(request).result().data


def test_a_tag_is_shown_where_it_is_attached(fund):
    tags, vaults = fund["admin"].sdk.tags, fund["admin"].sdk.vaults
    made = tags.create_tag(CreateTagRequest(label="Treasury", description="ours")).result().data
    assert (made.label, made.is_protected) == ("Treasury", False)
    with refused(BadRequestException, 1000):
        tags.create_tag(CreateTagRequest(label="Treasury")).result()
    told = attach(vaults, ["0", "1"], on=[made.id])
    assert [(o.vault_account_id, o.action) for o in told.applied_operations] == [("0", "ATTACH"), ("1", "ATTACH")]
    told = attach(vaults, ["0"], on=[made.id])
    assert [o.reason for o in told.rejected_operations] == ["ATTACHMENT_ALREADY_EXISTS"]
    assert [t.label for t in vaults.get_vault_account("1").result().data.tags] == ["Treasury"]
    tagged = vaults.get_paged_vault_accounts(tag_ids=[made.id]).result().data.accounts
    assert {account.id for account in tagged} == {"0", "1"}
    tags.update_tag(made.id, UpdateTagRequest(label="Own money")).result()
    assert vaults.get_vault_account("0").result().data.tags[0].label == "Own money"
    attach(vaults, ["0"], off=[made.id])
    assert vaults.get_vault_account("0").result().data.tags == []
    tags.delete_tag(made.id).result()
    assert vaults.get_vault_account("1").result().data.tags == []
    with refused(NotFoundException):
        tags.get_tag(made.id).result()


def test_protected_tags_are_for_administrators(fund):
    mine, theirs = fund["admin"].sdk.tags, fund["editor"].sdk.tags
    made = mine.create_tag(CreateTagRequest(label="Cold", is_protected=True)).result().data
    with refused(UnauthorizedException, -8):
        theirs.create_tag(CreateTagRequest(label="Cold too", is_protected=True)).result()
    with refused(UnauthorizedException, -8):
        theirs.update_tag(made.id, UpdateTagRequest(label="Hot")).result()
    with refused(UnauthorizedException, -8):
        attach(fund["editor"].sdk.vaults, ["0"], on=[made.id])
    assert theirs.create_tag(CreateTagRequest(label="Of an editor")).result().data.label
    assert mine.get_tag(made.id).result().data == made


def test_what_tags_are_for(fund):
    tags, vaults = fund["admin"].sdk.tags, fund["admin"].sdk.vaults
    usual = tags.create_tag(CreateTagRequest(label="Usual")).result().data
    assert (usual.type, usual.allowed_entity_types) == (None, ["vault_account"])
    pool = tags.create_tag(
        CreateTagRequest(label="Pool", type="WALLET_POOL", allowed_entity_types=["contact"])
    ).result().data
    assert (pool.type, pool.allowed_entity_types) == ("WALLET_POOL", ["contact"])
    assert tags.get_tag(pool.id).result().data == pool
    ids = lambda **filters: {tag.id for tag in by_cursor(tags.get_tags, **filters)}
    assert ids(type=["WALLET_POOL"]) == {pool.id} == ids(allowed_entity_type="contact")
    assert usual.id in ids(allowed_entity_type="vault_account") and pool.id not in ids(is_protected=True)
    with refused(BadRequestException):
        attach(vaults, ["0"], on=[pool.id])
    with refused(BadRequestException):
        tags.create_tag(CreateTagRequest(label="For cats", allowed_entity_types=["cat"])).result()
    assert fund["admin"].door.get("/v1/tags?allowedEntityType=cat").status == 400
    # Accounts by the dozen bear tags from the beginning.
    body = {"count": 2, "baseAssetIds": [], "prefix": "Tagged ", "tagIds": [usual.id]}
    assert fund["admin"].door.post("/v1/vault/accounts/bulk", body).status == 200
    tagged = vaults.get_paged_vault_accounts(tag_ids=[usual.id]).result().data.accounts
    assert [account.name for account in tagged] == ["Tagged 2", "Tagged 1"]
    for wrong, status in (([pool.id], 400), (["1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"], 404)):
        wanted = {**body, "prefix": "Never ", "tagIds": wrong}
        assert fund["admin"].door.post("/v1/vault/accounts/bulk", wanted).status == status


def test_tags_to_the_end(fund):
    tags = fund["admin"].sdk.tags
    made = {tags.create_tag(CreateTagRequest(label=f"Page {n}")).result().data.id for n in range(5)}
    found = by_cursor(tags.get_tags, page_size=2, label="page ")
    assert {tag.id for tag in found} == made and len(found) == 5


def test_groups(fund):
    groups = fund["admin"].sdk.user_groups_beta
    people = [fund["signer"].id, fund["approver"].id]
    made = groups.create_user_group(
        UserGroupCreateRequest(group_name="Desk", member_ids=people)
    ).result().data
    assert (made.name, set(made.member_ids), made.status) == ("Desk", set(people), "ACTIVE")
    assert [g.name for g in groups.get_user_groups().result().data] == ["Desk"]
    groups.update_user_group(
        made.id, UserGroupUpdateRequest(group_name="Desk 2", member_ids=people[:1])
    ).result()
    now = groups.get_user_group(made.id).result().data
    assert (now.name, now.member_ids) == ("Desk 2", people[:1])
    for members in ([fund["viewer"].id], ["1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"]):
        with refused(BadRequestException):
            request = UserGroupCreateRequest(group_name="No", member_ids=members)
            groups.create_user_group(request).result()
    with refused(UnauthorizedException, -8):
        fund["editor"].sdk.user_groups_beta.get_user_groups().result()
    groups.delete_user_group(made.id).result()
    with refused(NotFoundException):
        groups.get_user_group(made.id).result()
