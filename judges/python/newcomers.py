"""API users of roles that no seeded one has."""

import subprocess

from fireblocks.models.create_api_user import CreateAPIUser

from sandbox import User


def key_and_csr(folder, name):
    """A key and its CSR, made as Fireblocks' page tells people to (2048 bits: quicker)."""
    key, csr = folder / f"{name}.key", folder / f"{name}.csr"
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes"]
    subprocess.run([*command, "-keyout", key, "-out", csr, "-subj", "/O=Acme"], check=True, capture_output=True, timeout=120)
    return key, csr


def made(folder, sandbox, fund, role, name=None):
    """Asks for one; the quorum lets it in by itself, or is to be told to."""
    name = name or role.lower()
    key, csr = key_and_csr(folder, role)
    sdk = fund["admin"].sdk
    request = CreateAPIUser(role=role, name=name, csr_pem=csr.read_text())
    sdk.api_user.create_api_user(create_api_user=request).result()
    users = sdk.api_user.get_api_users().result().data.users
    (id,) = [user.id for user in users if user.name == name]
    return User.made(sandbox, role, id, key)
