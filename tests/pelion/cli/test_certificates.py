"""``harness pelion certificates`` and ``delete-certificate``: in the account, then in the team store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness_pelion.stores import open_stores

if TYPE_CHECKING:
    from tests.pelion.cli.conftest import Person, Service


@pytest.fixture
def three(person: Person, service: Service) -> None:
    """One certificate in both places, one in the account only, one in the team store only."""
    person.keep_key()
    team = open_stores(person.home).team
    both = service.client.create_developer_certificate("both").credentials()
    service.client.create_developer_certificate("account-only")
    team.save(both)
    team.save(both.named("store-only"))


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("word", ["certificates", "list-certificates"])
def test_listed(person: Person, service: Service, word: str) -> None:
    """Names of the account come first, then those of the team store; no private key is among them."""
    ids = {each.name: each.id for each in service.client.trusted_certificates()}

    done = person.run(word)

    assert (done.code, done.err) == (0, "")
    assert sorted(done.out.splitlines()) == sorted(
        [
            "In the account: 2",
            f"  both  (developer, {ids['both']})",
            f"  account-only  (developer, {ids['account-only']})",
            f"In the team store {person.team}: 2",
            "  both  (developer credentials)",
            "  store-only  (developer credentials)",
        ]
    )
    assert done.out.index("In the account") < done.out.index("In the team store")


@pytest.mark.usefixtures("three")
def test_listed_locally(person: Person) -> None:
    """The team store alone is listed without asking anybody."""
    done = person.run("certificates", "--local", "--url", "http://127.0.0.1:9")

    assert done.code == 0
    assert "account" not in done.out
    assert "  store-only  (developer credentials)\n" in done.out


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("name", "said", "account", "store"),
    [
        ("both", "in the account and in the team store", ["account-only"], ["store-only"]),
        ("account-only", "in the account", ["both"], ["both", "store-only"]),
        ("store-only", "in the team store", ["account-only", "both"], ["both"]),
    ],
)
def test_deleted(
    person: Person, service: Service, name: str, said: str, account: list[str], store: list[str]
) -> None:
    """A certificate is deleted wherever it is, and no other."""
    done = person.run("delete-certificate", name)

    assert (done.code, done.out) == (0, f"{name}: deleted {said}\n")
    assert sorted(each.name for each in service.client.trusted_certificates()) == account
    assert sorted(open_stores(person.home).team.names()) == store


@pytest.mark.usefixtures("three")
def test_deleted_locally(person: Person, service: Service) -> None:
    """With ``--local`` the account is not asked."""
    done = person.run("delete-certificate", "both", "--local", "--url", "http://127.0.0.1:9")

    assert (done.code, done.out) == (0, "both: deleted in the team store\n")
    assert len(service.client.trusted_certificates()) == 2


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["delete-certificate", "none"], 4, "NAME: there is no such certificate (got 'none')"),
        (["delete-certificate", "../user"], 4, "NAME: no name for a certificate (got '../user')"),
        (["delete-certificate", "both", "--url", "http://127.0.0.1:9"], 1, "127.0.0.1:9"),
        (["certificates", "--url", "http://127.0.0.1:9"], 1, "127.0.0.1:9"),
    ],
)
def test_refused(person: Person, service: Service, arguments: list[str], code: int, message: str) -> None:
    """What cannot be done changes nothing."""
    done = person.run(*arguments)

    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert len(service.client.trusted_certificates()) == 2
    assert len(open_stores(person.home).team.names()) == 2


def test_no_key(person: Person) -> None:
    """Without a key the account cannot be asked."""
    done = person.run("certificates")

    assert done.code == 4
    assert "You have not added an API key to the store." in done.err
