"""Transactions of the seeded year: every filter, both orders, paging to the end both ways."""

import time
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import pytest
from fireblocks.exceptions import BadRequestException, NotFoundException

from pages import MOST
from refusals import refused

DAY = 86_400_000


@pytest.fixture(scope="module")
def api(fund):
    return fund["viewer"].sdk.transactions


def walk(api, **filters):
    """Follows `next-page` to the end, as the client passes it: by its cursor."""
    found, cursor = [], None
    for _ in range(MOST):
        answer = api.get_transactions(next=cursor, **filters).result()
        found.extend(answer.data)
        link = answer.headers.get("next-page")
        if not link:
            return found
        cursor = parse_qs(urlsplit(link).query)["next"][0]
    raise AssertionError("the list does not end")


@pytest.fixture(scope="module")
def year(api):
    """Every transaction, newest first."""
    return walk(api, after="0", limit=500)


def ids(transactions):
    return [transaction.id for transaction in transactions]


def test_a_year_of_them(year):
    assert len(year) > 500
    times = [transaction.created_at for transaction in year]
    assert times == sorted(times, reverse=True)
    assert times[0] - times[-1] > 300 * DAY
    assert len(set(ids(year))) == len(year)
    assert {"COMPLETED", "FAILED", "BLOCKED", "CANCELLED"} <= {t.status for t in year}


def test_small_pages_hold_the_same(api, year):
    newest = [t for t in year if t.created_at > year[60].created_at]
    assert ids(walk(api, after=str(year[60].created_at), limit=13)) == ids(newest)


def test_whole_urls_can_be_followed_and_walked_back(fund, year):
    """`next-page` and `prev-page` are whole URLs, signed as they stand; the legacy Python client
    drops their last character."""
    door = fund["viewer"].door
    pages, target = [], "/v1/transactions?after=0&limit=40&assets=BTC%2CETH"
    while target:
        answer = door.get(target)
        assert answer.status == 200
        pages.append(([t["id"] for t in answer.json], answer.headers.get("prev-page")))
        link = answer.headers.get("next-page")
        target = link and link.removeprefix(f"http://{door.address}")[:-1]
    expected = [t.id for t in year if t.asset_id in ("BTC", "ETH")]
    assert [one for page, _ in pages for one in page] == expected and len(pages) > 2
    assert pages[0][1] is None
    for (before, _), (_, prev) in zip(pages, pages[1:]):
        back = door.get(prev.removeprefix(f"http://{door.address}"))
        assert [t["id"] for t in back.json] == before


def test_the_last_90_days_unless_told_otherwise(api, year):
    since = time.time() * 1000 - 90 * DAY
    expected = [t.id for t in year if t.created_at > since]
    assert ids(walk(api, limit=500)) == expected
    assert 0 < len(expected) < len(year)


def test_between_two_times(api, year):
    later, earlier = year[100].created_at, year[150].created_at
    found = walk(api, after=str(earlier), before=str(later), limit=500)
    assert ids(found) == [t.id for t in year if earlier < t.created_at < later]
    assert len(found) > 30


def test_before_alone_reaches_to_the_beginning(api, year):
    moment = year[-40].created_at
    assert ids(walk(api, before=str(moment), limit=500)) == [t.id for t in year if t.created_at < moment]


def test_both_orders(api, year):
    oldest_first = walk(api, after="0", limit=500, sort="ASC")
    assert ids(oldest_first) == ids(reversed(year))
    updated = walk(api, after="0", limit=500, order_by="lastUpdated", sort="DESC")
    times = [t.last_updated for t in updated]
    assert times == sorted(times, reverse=True)
    assert sorted(ids(updated)) == sorted(ids(year))


def side(transaction, kind):
    return transaction.source if kind == "source" else transaction.destination


FILTERS = {
    "status": lambda t: t.status,
    "source_type": lambda t: t.source.type.value,
    "source_id": lambda t: t.source.id,
    "dest_type": lambda t: t.destination.type.value,
    "dest_id": lambda t: t.destination.id,
    "assets": lambda t: t.asset_id,
    "tx_hash": lambda t: t.tx_hash,
}


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter(api, year, name):
    value_of = FILTERS[name]
    values = Counter(value_of(t) for t in year if value_of(t))
    for value in (values.most_common()[0][0], values.most_common()[-1][0]):
        expected = [t.id for t in year if value_of(t) == value]
        assert ids(walk(api, after="0", limit=500, **{name: value})) == expected, value


def test_filters_together(api, year):
    found = walk(
        api,
        after="0",
        limit=500,
        assets="BTC,USDC",
        status="COMPLETED",
        source_type="VAULT_ACCOUNT",
        dest_type="EXTERNAL_WALLET",
    )
    expected = [
        t.id
        for t in year
        if t.asset_id in ("BTC", "USDC")
        and t.status == "COMPLETED"
        and t.source.type == "VAULT_ACCOUNT"
        and t.destination.type == "EXTERNAL_WALLET"
    ]
    assert ids(found) == expected and expected


def test_end_user_wallets_there_are_none(api):
    wallet = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"
    assert walk(api, after="0", source_wallet_id=wallet) == []
    assert walk(api, after="0", dest_wallet_id=wallet) == []
    assert walk(api, after="0", tx_hash="no such hash") == []


def test_one_by_its_id(api, year):
    for transaction in (year[0], year[-1]):
        assert api.get_transaction(transaction.id).result().data == transaction


def test_amounts_are_exact_strings_beside_the_old_numbers(year):
    for t in year:
        assert isinstance(t.amount_info.amount, str)
        assert float(t.amount_info.amount) == float(t.amount)
        if t.status == "COMPLETED" and t.source.type == "VAULT_ACCOUNT":
            assert isinstance(t.fee_info.network_fee, str) and t.fee_currency


def test_what_is_not_there(api):
    for unknown in ("1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "no-uuid", "a/b", "ü + %"):
        with refused(NotFoundException, 1405):
            api.get_transaction(unknown).result()
    for unknown in ("nobody's", "a/b c", "ü+%25"):
        with refused(NotFoundException, 1439):
            api.get_transaction_by_external_id(unknown).result()


def test_what_cannot_be_asked(api, fund):
    for filters in ({"next": "made-up"}, {"prev": "bWFkZS11cA"}, {"status": "NO_SUCH"}, {"limit": 501}):
        with refused(BadRequestException, 1000):
            api.get_transactions(**filters).result()
    for query in (
        "limit=0",
        "limit=-1",
        "limit=many",
        "limit=99999999999999999999999",
        "orderBy=amount",
        "sort=UP",
        "after=yesterday",
        "before=1e300",
        "assets=no%20asset",
        "sourceType=NO_SUCH",
    ):
        answer = fund["viewer"].door.get(f"/v1/transactions?{query}")
        assert (answer.status, answer.code) == (400, 1000), query
    both = fund["viewer"].door.get("/v1/transactions?next=a&prev=b")
    assert (both.status, both.code) == (400, 1408)
