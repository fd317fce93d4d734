"""Typed messages: signatures that other people's code says are those of the account's address."""

import json

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_keys import keys

from fresh import fresh
from refusals import refused
from fireblocks.exceptions import BadRequestException
from fireblocks.models.transaction_request import TransactionRequest

DOMAIN = {
    "name": "Ether Mail",
    "version": "1",
    "chainId": 1,
    "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
}
DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
COW, BOB = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"

MAIL = {
    "types": {
        "EIP712Domain": DOMAIN_TYPE,
        "Person": [{"name": "name", "type": "string"}, {"name": "wallets", "type": "address[]"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person[]"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": DOMAIN,
    "message": {
        "from": {"name": "Cow", "wallets": [COW, BOB]},
        "to": [{"name": "Bob", "wallets": [BOB]}, {"name": "nobody ü", "wallets": []}],
        "contents": "Hello, Bob!",
    },
}
PERMIT = {
    "types": {
        "EIP712Domain": DOMAIN_TYPE,
        "Permit": [
            {"name": "owner", "type": "address"},
            {"name": "spender", "type": "address"},
            {"name": "value", "type": "uint256"},
            {"name": "nonce", "type": "uint256"},
            {"name": "deadline", "type": "uint256"},
        ],
    },
    "primaryType": "Permit",
    "domain": {**DOMAIN, "name": "USD Coin", "version": "2"},
    "message": {"owner": COW, "spender": BOB, "value": str(2**256 - 1), "nonce": 0, "deadline": 1893456000},
}
EVERYTHING = {
    "types": {
        "EIP712Domain": [*DOMAIN_TYPE, {"name": "salt", "type": "bytes32"}],
        "Inner": [{"name": "flag", "type": "bool"}, {"name": "small", "type": "int8"}],
        "Outer": [
            {"name": "inner", "type": "Inner"},
            {"name": "matrix", "type": "uint16[2][]"},
            {"name": "word", "type": "bytes32"},
            {"name": "four", "type": "bytes4"},
            {"name": "blob", "type": "bytes"},
            {"name": "low", "type": "int256"},
            {"name": "list", "type": "Inner[2]"},
        ],
    },
    "primaryType": "Outer",
    "domain": {**DOMAIN, "salt": "0x" + "5a" * 32},
    "message": {
        "inner": {"flag": True, "small": -128},
        "matrix": [[1, 2], [65535, 0]],
        "word": "0x" + "ab" * 32,
        "four": "0x01020304",
        "blob": "0x00ff",
        "low": str(-(2**255)),
        "list": [{"flag": False, "small": 127}, {"flag": True, "small": -1}],
    },
}


@pytest.fixture(scope="module")
def fund(manual):
    return fresh(manual)


def ask(fund, *messages, account="1"):
    request = {
        "operation": "TYPED_MESSAGE",
        "assetId": "ETH",
        "source": {"type": "VAULT_ACCOUNT", "id": account},
        "extraParameters": {"rawMessageData": {"messages": list(messages)}},
    }
    made = fund["signer"].sdk.transactions.create_transaction(
        transaction_request=TransactionRequest.from_dict(request)
    )
    return made.result().data.id


def signed(fund, transaction):
    fund.control("POST", f"/transactions/{transaction}/sign", {})
    told = fund["signer"].sdk.transactions.get_transaction(transaction).result().data
    assert (told.status, told.operation) == ("COMPLETED", "TYPED_MESSAGE")
    return told.signed_messages


def address(fund, account="1"):
    told = fund["viewer"].door.get(f"/v1/vault/accounts/{account}/ETH/addresses_paginated").json
    return told["addresses"][0]["address"]


def recovered(message, one):
    signature = one.signature
    numbers = (signature.v, int(signature.r, 16), int(signature.s, 16))
    return Account.recover_message(message, vrs=(27 + numbers[0], *numbers[1:]))


@pytest.mark.parametrize("data", [MAIL, PERMIT, EVERYTHING], ids=["mail", "permit", "everything"])
def test_structured_data_is_signed_by_the_accounts_key(fund, data):
    message = encode_typed_data(full_message=data)
    for content in (data, json.dumps(data)):
        (one,) = signed(fund, ask(fund, {"type": "EIP712", "content": content}))
        assert recovered(message, one) == address(fund)
        public = keys.PublicKey.from_compressed_bytes(bytes.fromhex(one.public_key))
        assert public.to_checksum_address() == address(fund)


def test_several_of_several_kinds(fund):
    text = "What a day"
    both = ask(fund, {"type": "EIP191", "content": text.encode().hex()}, {"type": "EIP712", "content": MAIL}, account="2")
    first, second = signed(fund, both)
    assert recovered(encode_defunct(text=text), first) == address(fund, "2")
    assert recovered(encode_typed_data(full_message=MAIL), second) == address(fund, "2")


def test_what_cannot_be_encoded_is_refused(fund):
    def changed(**parts):
        return {**MAIL, **parts}

    for content, why in [
        (changed(primaryType="Letter"), "Letter"),
        (changed(message={**MAIL["message"], "contents": 7}), "Mail.contents"),
        (changed(message={**MAIL["message"], "to": [{"name": "Bob", "wallets": ["0x12"]}]}), "Mail.to[0].wallets[0]"),
        (changed(types={**MAIL["types"], "Mail": [{"name": "from", "type": "word"}]}), "word"),
        ("{", "JSON"),
        ("aa", "JSON"),
    ]:
        with refused(BadRequestException, 1409, why):
            ask(fund, {"type": "EIP712", "content": content})
