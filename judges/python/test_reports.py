"""Reports: asked for, polled, downloaded."""

import csv
import gzip
import io
import urllib.error
import urllib.request

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException
from fireblocks.models.create_report_request import CreateReportRequest

from refusals import refused
from waiting import until


@pytest.fixture(scope="module")
def fund(lively):
    return lively.workspaces["mainnet"]


@pytest.fixture(scope="module")
def viewer(fund):
    return fund["viewer"]


def request(**more):
    return CreateReportRequest.from_dict({"reportType": "ADDRESSES", "outputFormat": "CSV", **more})


def made(user, key=None, **more):
    """A report's job, once it is done."""
    answer = user.sdk.reports_beta.create_report(request(**more), idempotency_key=key).result()
    assert answer.status_code == 202

    def done():
        job = user.sdk.reports_beta.get_report(answer.data.id).result().data
        assert job.status != "FAILED"
        return job if job.status == "COMPLETED" else None

    return until("the report", done)


def download(job):
    with urllib.request.urlopen(job.links.download_url, timeout=30) as answer:
        return answer.read()


def rows(text):
    return list(csv.DictReader(io.StringIO(text.decode())))


def addresses(user, account, asset):
    return user.door.get(f"/v1/vault/accounts/{account}/{asset}/addresses").json


def test_every_address(viewer):
    job = made(viewer, compress=False)
    file = download(job)
    assert (job.row_count, job.file_size_bytes) == (len(rows(file)), len(file))
    assert job.requested_by_user_id == viewer.id and job.compress is False
    listed = {(r["account_id"], r["asset"], r["address"], r["tag"]) for r in rows(file)}
    assert len(listed) == job.row_count
    accounts = viewer.door.get("/v1/vault/accounts_paged?limit=500").json["accounts"]
    expected = {
        (a["id"], w["id"], address["address"], address["tag"])
        for a in accounts
        for w in a["assets"]
        for address in addresses(viewer, a["id"], w["id"])
    }
    assert listed == expected and len(expected) > 100


def test_compressed_and_filtered(viewer):
    job = made(viewer, compress=True, filters={"vaultAccountIds": ["0", "3"], "assets": ["BTC", "XRP"]})
    file = download(job)
    assert job.compress is True and job.file_size_bytes == len(file)
    listed = rows(gzip.decompress(file))
    assert {(r["account_id"], r["asset"]) for r in listed} == {
        (account, asset) for account in ("0", "3") for asset in ("BTC", "XRP")
    }
    assert len(listed) == job.row_count


def test_a_filter_of_one_kind(viewer):
    by_asset = rows(download(made(viewer, filters={"assets": ["SOL"]})))
    assert {r["asset"] for r in by_asset} == {"SOL"} and len({r["account_id"] for r in by_asset}) > 5
    by_account = rows(download(made(viewer, filters={"vaultAccountIds": ["0"]})))
    assert {r["account_id"] for r in by_account} == {"0"} and len({r["asset"] for r in by_account}) > 5


def test_a_link_is_new_each_time_and_cannot_be_guessed(viewer, lively):
    job = made(viewer)
    again = viewer.sdk.reports_beta.get_report(job.id).result().data
    assert again.links.download_url != job.links.download_url
    assert download(again) == download(job)
    assert again.links.download_url_expires_at > job.completed_at
    for guess in (job.id, "x", "../reports"):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(f"{lively.origin}/downloads/{guess}", timeout=30)
        refusal.value.close()
        assert refusal.value.code in (400, 404)


def test_a_link_ends(manual):
    viewer = manual.workspaces["testnet"]["viewer"]
    job = made(viewer)
    assert download(job)
    assert manual.control("POST", "/clock/advance", {"millis": 3_600_001})[0] == 200
    with pytest.raises(urllib.error.HTTPError) as refusal:
        download(job)
    refusal.value.close()
    assert refusal.value.code == 404
    assert download(viewer.sdk.reports_beta.get_report(job.id).result().data)


def test_the_list_of_reports(lively):
    user = lively.workspaces["testnet"]["viewer"]
    api = user.sdk.reports_beta
    assert api.list_reports().result().data.data == []
    jobs = [made(user).id for _ in range(5)]
    newest_first = list(reversed(jobs))
    assert [job.id for job in api.list_reports().result().data.data] == newest_first
    found, cursor = [], None
    while True:
        page = api.list_reports(page_size=2, page_cursor=cursor).result().data
        assert len(page.data) <= 2
        found += [job.id for job in page.data]
        cursor = page.next
        if not cursor:
            break
    assert found == newest_first
    back = api.list_reports(page_size=2, page_cursor=page.prev).result().data
    assert [job.id for job in back.data] == newest_first[2:4]
    oldest = api.list_reports(order="ASC", sort_by="completedAt").result().data
    assert [job.id for job in oldest.data] == jobs
    assert len(api.list_reports(status=["COMPLETED", "FAILED"]).result().data.data) == 5
    assert api.list_reports(status=["FAILED"]).result().data.data == []
    for query in ("status=DONE", "status=COMPLETED&status=completed", "reportType=BALANCES"):
        answer = user.door.get(f"/v1/reports?{query}")
        assert (answer.status, answer.code) == (400, 1000), query
    assert len(api.list_reports(report_type=["ADDRESSES"]).result().data.data) == 5
    for query in ("pageSize=0", "pageSize=101", "pageCursor=made-up", "order=UP", "sortBy=id"):
        answer = user.door.get(f"/v1/reports?{query}")
        assert (answer.status, answer.code) == (400, 1000), query


def test_the_same_key_makes_one_report(viewer):
    assert made(viewer, key="report").id == made(viewer, key="report").id


def test_reports_that_cannot_be(viewer, fund):
    for body in (
        {"reportType": "BALANCES", "outputFormat": "CSV"},
        {"reportType": "ADDRESSES", "outputFormat": "XLSX"},
        {"reportType": "ADDRESSES", "outputFormat": "CSV", "filters": {"assets": ["A"] * 1001}},
        {"reportType": "ADDRESSES", "outputFormat": "CSV", "filters": {"vaultAccountIds": ["x"]}},
        {"outputFormat": "CSV"},
    ):
        assert viewer.door.post("/v1/reports", body).status == 400, body
    for unknown in ("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "no-uuid"):
        with refused(NotFoundException):
            viewer.sdk.reports_beta.get_report(unknown).result()
    assert fund["auditor"].door.post("/v1/reports", {}).code == -8
    with refused(BadRequestException, 9003):
        viewer.sdk.reports_beta.create_report(request(), idempotency_key="k" * 41).result()
