"""Who asks: the users of an organisation, the other door, devices, nobody; and whose tokens elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BackendFault, UsageError
from harness_guardian.client import connect
from harness_guardian.client_access import CA_FILE_VARIABLE, read_token, refuse_without_access
from tests.guardian.client import answers
from tests.guardian.client.answers import ID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness_guardian.client import GuardianClient
    from tests.guardian.client.conftest import Stage

ROW = f"/api/v1/provisioning-requests/{ID}"
TOKENS = {
    "GUARDIAN_TOKEN": "admin-token-0001",
    "GUARDIAN_OTHER_ADMIN_TOKEN": "admin-token-0002",
    "GUARDIAN_REPORTER_TOKEN": "reporter-token",
    "GUARDIAN_LIMITED_TOKEN": "limited-token-1",
    "GUARDIAN_OTHER_LIMITED_TOKEN": "limited-token-2",
}


@pytest.fixture(autouse=True)
def _no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the host's environment plays a part."""
    for variable in TOKENS:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(f"{variable}_FILE", raising=False)


@pytest.mark.parametrize(
    ("who", "name"),
    [("other_admin", "bert"), ("reporter", "rita"), ("limited", "liam"), ("other_limited", "lena")],
)
def test_users_of_a_fake(guardian: GuardianClient, stage: Stage, who: str, name: str) -> None:
    """Each has a token and a name of their own; all tokens are secrets."""
    stage.cloud.says("GET", ROW, 200, answers.row())
    user = getattr(guardian, who)

    user.request(ID)

    (asked,) = stage.cloud.requests("GET", ROW)
    assert asked.headers["Authorization"] == f"Bearer gdn_{name}-0123456789abcdef"
    assert (user.user_name, guardian.user_name) == (name, "anna")
    assert stage.secrets[f"gdn_{name}-0123456789abcdef"] == "Guardian token"


def test_nobody(guardian: GuardianClient, stage: Stage) -> None:
    """Who is nobody says nothing of who asks."""
    guardian.anonymous.raw.request("GET", f"/provisioning-requests/{ID}")

    (asked,) = stage.cloud.requests("GET", ROW)
    assert "Authorization" not in asked.headers
    assert guardian.anonymous.user_name == ""


def test_doors(guardian: GuardianClient, stage: Stage) -> None:
    """The same user at either door; a row is asked for at its own."""
    stage.cloud.says("GET", ROW, 200, answers.row())
    stage.appliance.says("GET", ROW, 200, answers.row(provision_source="Appliance"))

    row = guardian.limited.appliance.request(ID)

    assert (
        stage.appliance.requests("GET", ROW)[0].headers["Authorization"] == "Bearer gdn_liam-0123456789abcdef"
    )
    assert guardian.at_door_of(row).request(ID) == row
    assert guardian.appliance.cloud.request(ID) != row
    assert guardian.appliance.as_device("A" * 22).at_appliance
    assert stage.secrets["A" * 22] == "nonce of a provisioning request"


def test_service_without_an_appliance(stage: Stage) -> None:
    """Who has no appliance is told so; the main door is the only one."""
    client = connect(replace(stage.backend, addresses={}), stage.session())
    try:
        with pytest.raises(UsageError, match="the service has no appliance"):
            _ = client.appliance
        stage.cloud.says("GET", ROW, 200, answers.row(provision_source="Appliance"))
        assert not client.at_door_of(client.request(ID)).at_appliance
    finally:
        client.close()


def test_fake_without_an_administrator(stage: Stage) -> None:
    """A fake that gives no administrator is at fault."""
    stage.control.forget()
    stage.control.says("POST", "/organisations", 201, {"name": "run1-gw0", "users": []})

    with pytest.raises(BackendFault, match="no user anna"):
        connect(stage.backend, stage.session())


def test_further_user(guardian: GuardianClient, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A further user has a name of their own, and the role that was asked for."""
    monkeypatch.setattr("harness_guardian.client_users.random_part", lambda: "cafe")
    further = {"name": "user-cafe", "role": "Limited", "token": "gdn_cafe-0123456789abcdef"}
    stage.control.forget()
    stage.control.says("POST", "/organisations/run1-gw0/users", 201, further)
    stage.control.says("POST", "/organisations", 200, {"name": "run1-gw0", "users": [further]})

    user = guardian.new_user("Limited")

    (asked,) = stage.control.requests("POST", "/organisations/run1-gw0/users")
    assert asked.json == {"name": "user-cafe", "role": "Limited"}
    assert (user.user_name, user.authorization) == ("user-cafe", "Bearer gdn_cafe-0123456789abcdef")


def test_raw(guardian: GuardianClient, stage: Stage) -> None:
    """A hand-made request is answered whatever it is, with whoever's token it names."""
    stage.cloud.says("GET", "/api/v1/systems", 418, b"teapot")

    answer = guardian.raw.request("GET", "/systems", headers={"Authorization": "Bearer x"})

    assert (answer.status_code, answer.content) == (418, b"teapot")
    assert stage.cloud.asked[-1].headers["Authorization"] == "Bearer x"


# A service that is no fake of ours ----------------------------------------------------------------------


def test_tokens_of_the_environment(
    elsewhere: Callable[[], GuardianClient], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each user has a variable; all of them are secrets."""
    for variable, token in TOKENS.items():
        monkeypatch.setenv(variable, token)
    stage.cloud.says("GET", ROW, 200, answers.row())
    client = elsewhere()

    for user in (client, client.other_admin, client.reporter, client.limited, client.other_limited):
        user.request(ID)

    sent = [asked.headers["Authorization"] for asked in stage.cloud.requests("GET", ROW)]
    assert sent == [f"Bearer {token}" for token in TOKENS.values()]
    assert set(stage.secrets) == set(TOKENS.values())
    assert client.organisation == ""


def test_user_without_a_token(elsewhere: Callable[[], GuardianClient]) -> None:
    """A test that needs a user nobody named is told the variable."""
    client = elsewhere()

    with pytest.raises(UsageError, match="GUARDIAN_REPORTER_TOKEN"):
        _ = client.reporter


@pytest.mark.parametrize(
    "order",
    [
        lambda client: client.vault.log("x"),
        lambda client: client.dwell(1),
        lambda client: client.new_user("Admin"),
        lambda client: client.another_organisation(),
    ],
)
def test_what_only_a_fake_does(elsewhere: Callable[[], GuardianClient], order: Any) -> None:
    """A service elsewhere takes no orders, and nobody tries."""
    client = elsewhere()

    with pytest.raises(UsageError, match="is to be had from a fake only"):
        order(client)
    client.undo()


def test_appliance_elsewhere(
    elsewhere: Callable[[], GuardianClient], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the appliance is, the environment says."""
    monkeypatch.setenv("GUARDIAN_APPLIANCE_URL", f"{stage.backend.addresses['appliance']}/")
    stage.appliance.says("GET", ROW, 200, answers.row())

    elsewhere().appliance.request(ID)

    assert len(stage.appliance.requests("GET", ROW)) == 1


def test_wrong_token_is_hinted_at(elsewhere: Callable[[], GuardianClient], stage: Stage) -> None:
    """A 401 says what it may come of."""
    stage.cloud.says("GET", ROW, 401, answers.problem("not-authenticated", 401, "nobody's"))

    with pytest.raises(BackendFault, match="the token of a user with the role Admin"):
        elsewhere().request(ID)


def test_no_token(stage: Stage) -> None:
    """Before anything is opened the missing variable is named."""
    with pytest.raises(UsageError, match=r"no token for http.*GUARDIAN_TOKEN_FILE"):
        refuse_without_access(stage.backend)


def test_token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that only its owner may read, with the token and nothing else."""
    file = tmp_path / "token"
    file.touch(0o600)
    file.write_text("token-in-a-file\n")
    monkeypatch.setenv("GUARDIAN_TOKEN_FILE", str(file))

    assert read_token("GUARDIAN_TOKEN") == "token-in-a-file"


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("token", 0o644, "others may read the token .*0600"),
        ("two words", 0o600, "holds no token"),
        ("", 0o600, "holds no token"),
        ("x" * 5000, 0o600, "holds no token"),
    ],
)
def test_bad_token_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, mode: int, message: str
) -> None:
    """What is wrong with it is told, and nothing of what is in it."""
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(mode)
    monkeypatch.setenv("GUARDIAN_TOKEN_FILE", str(file))

    with pytest.raises(UsageError, match=message) as caught:
        read_token("GUARDIAN_TOKEN")
    assert "two words" not in str(caught.value)


def test_token_file_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory, or nothing at all."""
    monkeypatch.setenv("GUARDIAN_TOKEN_FILE", str(tmp_path))
    with pytest.raises(UsageError, match="no plain file"):
        read_token("GUARDIAN_TOKEN")
    monkeypatch.setenv("GUARDIAN_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="cannot be read"):
        read_token("GUARDIAN_TOKEN")


def test_bad_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with a blank in it is none."""
    monkeypatch.setenv("GUARDIAN_TOKEN", "two words")

    with pytest.raises(UsageError, match="printable ASCII without blanks") as caught:
        read_token("GUARDIAN_TOKEN")
    assert "two words" not in str(caught.value)


def test_authorities(
    elsewhere: Callable[[], GuardianClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of authorities that is not there is named; one that is there is taken."""
    monkeypatch.setenv(CA_FILE_VARIABLE, str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match="no such file"):
        elsewhere()
    (tmp_path / "none.pem").write_text("")
    elsewhere()
