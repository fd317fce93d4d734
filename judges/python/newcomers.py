"""API users of roles that no seeded one has."""

import subprocess

from fireblocks.models.create_api_user import CreateAPIUser

from sandbox import User


def made(folder, sandbox, fund, role):
    """Asks for one; the quorum lets it in by itself, or is to be told to."""
    key, csr = folder / f"{role}.key", folder / f"{role}.csr"
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes"]
    subprocess.run([*command, "-keyout", key, "-out", csr, "-subj", "/O=Acme"], check=True, capture_output=True, timeout=120)
    sdk = fund["admin"].sdk
    request = CreateAPIUser(role=role, name=role.lower(), csr_pem=csr.read_text())
    sdk.api_user.create_api_user(create_api_user=request).result()
    users = sdk.api_user.get_api_users().result().data.users
    (id,) = [user.id for user in users if user.name == role.lower()]
    return User.made(sandbox, role, id, key)
