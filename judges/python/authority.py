"""A certificate authority of a test's own: for its HTTPS servers, and for those who call them."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """It keeps its certificate, and its server's certificate and key, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        builder = self._about("test authority", self._key.public_key())
        made = builder.add_extension(constraints, critical=True).sign(self._key, hashes.SHA256())
        self.path = folder / "authority.pem"
        self.path.write_bytes(made.public_bytes(Encoding.PEM))
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = self._about("127.0.0.1", key.public_key())
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        made = builder.add_extension(usage, critical=False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._server = folder / "server.pem"
        self._server.write_bytes(private + made.public_bytes(Encoding.PEM))

    def _about(self, subject, key, days=30):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("test authority"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=days))
        )

    def signed(self, csr, subject, days=30):
        """A client's certificate for the key of a request."""
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = self._about(subject, request.public_key(), days)
        made = builder.add_extension(usage, critical=False).sign(self._key, hashes.SHA256())
        return made.public_bytes(Encoding.PEM).decode()

    def stranger(self):
        """A certificate for a key that nobody has asked about."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._about("stranger", key.public_key()).sign(self._key, hashes.SHA256())
        return made.public_bytes(Encoding.PEM).decode()

    def context(self, asks=False):
        """What an HTTPS server is made with; one that asks lets nobody in without a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server)
        if asks:
            context.load_verify_locations(self.path)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
