"""Invariant 3, judged by others' keys and tools: a private key is never accepted, and never kept."""

import base64
import gzip
import io
import json
import subprocess
import zipfile
from pathlib import Path

import cryptography_vectors
import jks
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto.jwk import JWK

from bare_gate import BareGate

VECTORS = Path(cryptography_vectors.__file__).parent
PKCS12 = {".p12", ".pfx"}
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS1, PKCS8 = serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8
OPENSSH = serialization.PrivateFormat.OpenSSH
OPEN, SEALED = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"secret")


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    gate = BareGate(tmp_path_factory.mktemp("bare"))
    yield gate
    gate.stop()


def holds_private_key(file, content):
    """Whether cryptography itself would read a private key out of it, if it had the passphrase."""
    if file.suffix in PKCS12 or b"PRIVATE KEY-----" in content:
        return True
    for load in (
        serialization.load_der_private_key,
        serialization.load_pem_private_key,
        serialization.load_ssh_private_key,
    ):
        try:
            load(content, None)
            return True
        except TypeError:  # it wants a passphrase
            return True
        except Exception:
            continue
    return False


def private_files():
    for place in ("asymmetric", "pkcs12", "pkcs7", "x509"):
        for file in sorted((VECTORS / place).rglob("*")):
            # Lists of test cases in words are no key files.
            if file.is_file() and file.suffix not in {".txt", ".py", ".rsp", ".json"} and file.stat().st_size < 200_000:
                content = file.read_bytes()
                if holds_private_key(file, content):
                    yield file, content


def refused_for_a_private_key(gate, content, what):
    taken, said = gate.hand_in(content)
    assert not taken, f"{what} was taken"
    assert "private key" in said, f"{what}: {said}"
    return said


def test_invariant_3_every_private_key_of_cryptographys_vectors_is_refused_and_not_kept(gate):
    files = list(private_files())
    assert len(files) > 150
    for file, content in files:
        refused_for_a_private_key(gate, content, file.relative_to(VECTORS))
    assert gate.connections() == []
    kept = gate.kept()
    for file, content in files:
        if b"PRIVATE KEY-----" in content:
            secret = content.split(b"PRIVATE KEY-----")[1].splitlines()
            for line in (line for line in secret if len(line) > 40 and b"BEGIN" not in line):
                assert line not in kept, f"a line of {file.name} was kept"
        else:
            middle = len(content) // 2
            assert content[middle : middle + 32] not in kept, f"a piece of {file.name} was kept"


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def dotnet(key):
    private = key.private_numbers()
    public = private.public_numbers
    parts = {
        "Modulus": public.n, "Exponent": public.e, "P": private.p, "Q": private.q,
        "DP": private.dmp1, "DQ": private.dmq1, "InverseQ": private.iqmp, "D": private.d,
    }  # fmt: skip
    inside = "".join(f"<{k}>{base64.b64encode(number(v)).decode()}</{k}>" for k, v in parts.items())
    return f"<RSAKeyValue>{inside}</RSAKeyValue>".encode()


def keystore(key, kind):
    der = key.private_bytes(DER, PKCS8, OPEN)
    entry = jks.PrivateKeyEntry.new("acme", [], der, "pkcs8")
    store = jks.KeyStore.new("jks", [entry]).saves("secret")
    # The library writes no JCEKS; what tells one from a JKS is its first four bytes.
    return store if kind == "jks" else b"\xce\xce\xce\xce" + store[4:]


def putty(key, folder, *options):
    pem, ppk = folder / "key.pem", folder / "key.ppk"
    pem.write_bytes(key.private_bytes(PEM, PKCS1, OPEN))
    subprocess.run(["puttygen", str(pem), "-O", "private", "-o", str(ppk), *options], check=True)
    return ppk.read_bytes()


def openssl(key, folder, *words):
    pem = folder / "key.pem"
    pem.write_bytes(key.private_bytes(PEM, PKCS8, OPEN))
    return subprocess.run(["openssl", *words, "-in" if words[0] != "pkcs12" else "-inkey", str(pem)], check=True, capture_output=True).stdout


def zipped(*contents):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in enumerate(contents):
            archive.writestr(f"file-{place}", content)
    return out.getvalue()


def streamed_zip(content):
    """As tools write one that cannot go back: an entry does not say how long it is."""

    class Stream(io.RawIOBase):
        def __init__(self):
            self.out = bytearray()

        def writable(self):
            return True

        def write(self, data):
            self.out += bytes(data)
            return len(data)

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("key.pem", content)
    return bytes(stream.out)


# Each makes a file of a key with somebody else's tool; and whether its private half can be proven.
FORMS = {
    "PKCS#1": (lambda key, _: key.private_bytes(PEM, PKCS1, OPEN), True),
    "PKCS#1 DER": (lambda key, _: key.private_bytes(DER, PKCS1, OPEN), True),
    "PKCS#1 sealed": (lambda key, _: key.private_bytes(PEM, PKCS1, SEALED), False),
    "PKCS#8": (lambda key, _: key.private_bytes(PEM, PKCS8, OPEN), True),
    "PKCS#8 DER sealed": (lambda key, _: key.private_bytes(DER, PKCS8, SEALED), False),
    "OpenSSH": (lambda key, _: key.private_bytes(PEM, OPENSSH, OPEN), True),
    "JWK": (lambda key, _: JWK.from_pyca(key).export().encode(), True),
    "JWKS": (lambda key, _: json.dumps({"keys": [json.loads(JWK.from_pyca(key).export())]}).encode(), True),
    "XML of .NET": (lambda key, _: dotnet(key), True),
    "JKS": (lambda key, _: keystore(key, "jks"), False),
    "JCEKS": (lambda key, _: keystore(key, "jceks"), False),
    "PuTTY 2": (lambda key, folder: putty(key, folder, "--ppk-param", "version=2"), True),
    "PuTTY 3": (lambda key, folder: putty(key, folder), True),
    "PKCS#12": (
        lambda key, folder: openssl(key, folder, "pkcs12", "-export", "-nocerts", "-passout", "pass:secret"),
        False,
    ),
    "written out": (lambda key, folder: openssl(key, folder, "rsa", "-text", "-noout"), False),
    "zip": (lambda key, _: zipped(b"see the other file", key.private_bytes(PEM, PKCS8, OPEN)), True),
    "streamed zip": (lambda key, _: streamed_zip(key.private_bytes(PEM, PKCS8, OPEN)), True),
    "gzip of PuTTY": (lambda key, folder: gzip.compress(putty(key, folder)), True),
    "base64 in JSON in zip": (
        lambda key, _: zipped(json.dumps({"k": base64.b64encode(key.private_bytes(DER, PKCS8, OPEN)).decode()})),
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_invariant_3_a_key_in_the_form_of_another_tool_is_refused_and_burned_where_proven(gate, tmp_path, form):
    make, provable = FORMS[form]
    key = rsa.generate_private_key(65537, 2048)
    said = refused_for_a_private_key(gate, make(key, tmp_path), form)
    assert "never travels" in said
    fingerprint = fingerprint_of(key)
    assert (fingerprint in gate.log()) is provable, "burned, and named in the log" if provable else "nobody knows which"
    assert gate.connections() == []


def fingerprint_of(key):
    import hashlib

    return hashlib.sha256(number(key.public_key().public_numbers().n)).hexdigest()


def test_several_keys_at_once_are_all_burned(gate):
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(3)]
    texts = [key.private_bytes(PEM, PKCS8, OPEN) for key in keys]
    refused_for_a_private_key(gate, zipped(*texts[:2]) + b"\n" + texts[2], "several")
    log = gate.log()
    assert all(fingerprint_of(key) in log for key in keys)
