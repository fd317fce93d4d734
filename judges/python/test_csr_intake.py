"""CSRs, judged by others: cryptography's own vectors, and keys that badkeys finds bad."""

import random
from pathlib import Path

import cryptography_vectors
import gmpy2
import pytest
from badkeys.checks import checkrsa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bare_gate import BareGate

REQUESTS = Path(cryptography_vectors.__file__).parent / "x509" / "requests"
SOUND_HASHES = {"sha256", "sha384", "sha512"}
# The gate is stricter: each with the rule that it breaks.
STRICTER = {"zero-element-attribute.pem": "an attribute has a value at least (X.501: SET SIZE (1..MAX))"}
CHECKS = ["fermat", "roca", "smallfactors", "pattern", "rsabias", "sharedprimes"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    gate = BareGate(tmp_path_factory.mktemp("bare"))
    yield gate
    gate.stop()


def is_sound(content, seen):
    """What cryptography says of the rules; a key is taken once."""
    try:
        load = x509.load_pem_x509_csr if b"-----BEGIN" in content else x509.load_der_x509_csr
        csr = load(content)
        key = csr.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        public = key.public_numbers()
        padding = type(csr.signature_algorithm_parameters).__name__
        sound = (
            csr.is_signature_valid
            and csr.signature_hash_algorithm.name in SOUND_HASHES
            and padding == "PKCS1v15"
            and 2048 <= key.key_size <= 8192
            and 65537 <= public.e <= 2**32
        )
    except Exception:
        return False
    if not sound or public.n in seen:
        return False
    seen.add(public.n)
    return True


def test_the_vectors_requests_are_judged_as_cryptography_judges_them(gate):
    seen, judged = set(), 0
    for file in sorted(REQUESTS.iterdir()):
        if file.suffix not in {".pem", ".der"}:
            continue
        content = file.read_bytes()
        expected = file.name not in STRICTER and is_sound(content, seen)
        taken, said = gate.hand_in(content)
        assert taken == expected, f"{file.name}: {said}"
        if not taken:
            assert "openssl req -new" in said or "another connection" in said, f"{file.name}: {said}"
        judged += 1
    assert judged > 15
    assert len(gate.connections()) == len(seen)


def prime(bits, rng):
    return int(gmpy2.next_prime(rng.getrandbits(bits) | 3 << (bits - 2)))


def request_of(*primes):
    """A request of a key with these primes, signed by it."""
    p, q = primes
    e, phi = 65537, (p - 1) * (q - 1)
    d = pow(e, -1, phi)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(e, p * q))
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM), p * q


def roca_prime(bits, rng):
    primorial = int(gmpy2.primorial(701 if bits > 990 else 353))
    while True:
        k = rng.getrandbits(bits - primorial.bit_length()) | 1 << (bits - primorial.bit_length() - 1)
        candidate = k * primorial + pow(65537, rng.getrandbits(60), primorial)
        if candidate.bit_length() == bits and gmpy2.is_prime(candidate):
            return int(candidate)


def close(rng):
    p = prime(1024, rng)
    return p, int(gmpy2.next_prime(p))


# Each makes the primes of a bad key, and names what the gate says of it.
BAD = {
    "fermat": (close, "too close"),
    "roca": (lambda rng: (roca_prime(1024, rng), roca_prime(1024, rng)), "ROCA"),
    "smallfactors": (lambda rng: (16_381, prime(2040, rng)), "16381 divides it"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_key_that_badkeys_finds_bad_is_refused_by_name(gate, kind):
    make, word = BAD[kind]
    csr, modulus = request_of(*make(random.Random(f"vestibule {kind}")))
    assert kind in checkrsa(modulus, 65537, checks=CHECKS), "badkeys does not think so"
    taken, said = gate.hand_in(csr)
    assert not taken and word in said, said
    assert "openssl req -new -newkey rsa:4096" in said


def test_two_keys_with_a_prime_in_common_are_both_burned(gate):
    rng = random.Random("vestibule shared")
    shared, one, other = (prime(1024, rng) for _ in range(3))
    first, _ = request_of(shared, one)
    second, _ = request_of(shared, other)
    taken, said = gate.hand_in(first, name="weak")
    assert taken, said
    taken, said = gate.hand_in(second)
    assert not taken and "shares a factor" in said, said
    for csr in (first, second):
        taken, said = gate.hand_in(csr)
        assert not taken and "burned" in said, said
