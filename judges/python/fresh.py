"""Workspaces made by one call: as a test of somebody's own would make them."""

import json

from sandbox import Workspace


class Fresh(Workspace):
    """A workspace of a test's own."""

    def __init__(self, sandbox, told):
        users = [dict(user, secret=user["secret_key"]) for user in told["users"] if user["api_key"]]
        super().__init__(sandbox, {"workspace_id": told["id"], "users": users})
        self.name = told["name"]

    def ask(self, method, path, body=None, status=200):
        """A call of the control plane about this workspace; what it answers."""
        got, answer = self.sandbox.control(method, f"/workspaces/{self.id}{path}", body)
        assert got == status, (got, answer)
        return json.loads(answer) if answer else None

    def gone(self):
        """Takes it away."""
        for user in self.users.values():
            user.close()
        self.ask("DELETE", "", status=204)


def fresh(sandbox, **asked):
    """Makes one."""
    status, answer = sandbox.control("POST", "/workspaces", asked)
    assert status == 201, (status, answer)
    return Fresh(sandbox, json.loads(answer))
