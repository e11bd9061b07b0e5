"""The envelope."""

from support.client import Client


def test_smoke(client: Client) -> None:
    """A task runs."""
    task = client.run(n=3)
    print(task)
    assert task["status"] == "SUCCESS"
