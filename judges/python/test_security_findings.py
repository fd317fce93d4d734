"""Security findings: what is found in the workspace as it is."""

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException, UnauthorizedException
from fireblocks.models.accept_finding_request import AcceptFindingRequest
from fireblocks.models.reopen_finding_request import ReopenFindingRequest
from fireblocks.models.update_finding_external_request import UpdateFindingExternalRequest

from newcomers import made
from pages import by_cursor
from refusals import refused


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def admin(tmp_path_factory, lively, fund):
    return made(tmp_path_factory.mktemp("admin"), lively, fund, "SECURITY_ADMIN")


@pytest.fixture(scope="module")
def auditor(tmp_path_factory, lively, fund):
    return made(tmp_path_factory.mktemp("auditor"), lively, fund, "SECURITY_AUDITOR")


@pytest.fixture(scope="module")
def api(admin):
    return admin.sdk.security_posture_management


def everything(api, **filters):
    return by_cursor(api.get_security_findings, **filters)


def about(api, name, **filters):
    return next(f for f in everything(api, **filters) if name in f.title.split())


def test_what_is_found(fund, auditor, api):
    found = everything(api)
    assert len(found) == len(everything(api, page_size=2)) == api.get_security_findings().result().data.total
    assert "API user viewer has no IP allow-list" in {f.title for f in found}
    signing = [f.title for f in found if "callback" in f.title]
    assert {title.split()[2] for title in signing} == {"admin", "signer"}
    assert {f.status for f in found} == {"OPEN"}
    for name in ("severity", "category", "status"):
        words = {getattr(f, name) for f in found}
        for word in words:
            those = [f.id for f in found if getattr(f, name) == word]
            assert [f.id for f in everything(api, **{name: word})] == those
    assert everything(api, severity="INFO") == []
    one = auditor.sdk.security_posture_management.get_security_finding_by_id(id=found[0].id).result().data
    assert (one.id, one.title, one.status) == (found[0].id, found[0].title, "OPEN")
    assert one.info["about"] in {u.id for u in fund["admin"].sdk.users.get_users().result().data}
    assert one.risk_explanation and one.mitigation_guidance and one.status_updated_at is None
    with refused(NotFoundException):
        api.get_security_finding_by_id(id="rando").result()
    for user in ("admin", "viewer"):
        theirs = fund[user].sdk.security_posture_management
        with refused(UnauthorizedException, -8):
            theirs.get_security_findings().result()
        with refused(UnauthorizedException, -8):
            theirs.get_security_finding_by_id(id=found[0].id).result()


def say(api, finding, request):
    wanted = UpdateFindingExternalRequest(request)
    return api.update_security_finding_by_id(id=finding.id, update_finding_external_request=wanted).result().data


def test_accepted_and_opened_again(admin, auditor, api):
    finding = about(api, "editor", status="OPEN")
    accept = AcceptFindingRequest(status="ACCEPTED", status_updated_reason="known")
    told = say(api, finding, accept)
    assert (told.status, told.status_updated_reason, told.status_updated_by_user_id) == ("ACCEPTED", "known", admin.id)
    assert finding.id in {f.id for f in everything(api, status="ACCEPTED")}
    assert api.get_security_finding_by_id(id=finding.id).result().data == told
    with refused(UnauthorizedException, -8):
        say(auditor.sdk.security_posture_management, finding, accept)
    told = say(api, finding, ReopenFindingRequest(status="OPEN"))
    assert (told.status, told.status_updated_reason) == ("OPEN", None)
    target = f"/v1/security/fspm/findings/{finding.id}"
    for body in (b'{"status":"ACCEPTED"}', b'{"status":"RESOLVED"}', b'{"status":5}', b"{}", b"[]"):
        assert admin.door.send("PATCH", target, body).status == 400, body
    with refused(NotFoundException):
        finding.id = "rando"
        say(api, finding, accept)


def test_what_is_mended_is_resolved(fund, api):
    finding = about(api, "viewer")
    where = f"/users/{fund['viewer'].id}/ip_addresses"
    fund.control("PUT", where, {"addresses": ["10.0.0.1"]})
    assert about(api, "viewer").status == "RESOLVED"
    with refused(BadRequestException):
        say(api, finding, ReopenFindingRequest(status="OPEN"))
    fund.control("PUT", where, {"addresses": []})
    again = about(api, "viewer")
    assert (again.status, again.id, again.created_at) == ("OPEN", finding.id, finding.created_at)
