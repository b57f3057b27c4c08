"""The driver ``guardian-component`` over a console: what it types, and what it makes of what is said."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BoardFault, CommandRefused, ConsoleTimeout, UsageError
from harness_guardian.driver_console import AgentDialect, ConsoleLink, quoted
from harness_guardian.driver_models import AgentRefused, AgentStatus, BoardRestarted
from harness_guardian.virtual.console import split_words
from tests.guardian.paper_component import DIGEST, SERIAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_guardian.driver import GuardianComponentDriver
    from tests.guardian.conftest import Desk
    from tests.guardian.paper_component import PaperComponent

KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n"
LEAF, INTERMEDIATE = b"\x30\x03leaf", b"\x30\x03rest"


def test_who_it_is_and_how(desk: Desk, paper: PaperComponent) -> None:
    """What a blank component was not told is ``None``; what it was told is said as it is."""
    driver = desk.driver
    blank = driver.identity()
    assert (blank.serial, blank.model, blank.firmware) == (SERIAL, "Paper 1", "2.0")
    assert (blank.component, blank.hw_id, blank.instance) == (None, None, None)

    paper.who, paper.state, paper.lines = ("pump", "P-7", "i1"), "provisioned", [f"tls 0f {DIGEST}"]

    assert driver.status() == AgentStatus(
        state="provisioned",
        system="Paper works",
        instance="i1",
        component="pump",
        hw_id="P-7",
        certificates=1,
    )
    assert driver.health()
    assert paper.words == ["identify", "status", "status"]


@pytest.mark.parametrize("size", [0, 1, 599, 600, 601, 1200, 5000])
def test_files_go_in_pieces(desk: Desk, paper: PaperComponent, size: int) -> None:
    """A file arrives byte for byte, in lines that the agent takes, and in the place of what was there."""
    content = bytes(range(256)) * 20
    driver = desk.driver
    paper.files["forwarded"] = b"what was there before" * 400

    driver.put_file("forwarded", content[:size])

    assert paper.files["forwarded"] == content[:size]
    assert driver.get_file("forwarded") == content[:size]
    assert max(len(line) for line in paper.heard) < 1024


def test_words_are_typed_as_the_dialect_has_them(desk: Desk, paper: PaperComponent) -> None:
    """Each call is the command that the dialect names."""
    driver = desk.driver
    driver.initialize("pump", "P-7")
    driver.initialize("pump", "P-7", "i1")
    driver.use_service("http://127.0.0.1:1")
    assert driver.make_request().request_id == "6d0a"
    driver.make_request(True, "Cloud", "cose")
    paper.said["prove"] = "signature: 3045\nOK\n"
    assert driver.prove("tls", b"\x00\x01") == b"0E"
    driver.drop_file("request")
    driver.install(b"profile")
    driver.complete()

    typed = [line for line in paper.heard if not line.startswith(("status", "get"))]
    assert typed == [
        "init pump P-7",
        "init pump P-7 i1",
        "service http://127.0.0.1:1",
        "request",
        "request reprovision source=Cloud format=cose",
        "prove tls 0001",
        "drop request",
        "put profile 0 cHJvZmlsZQ==",
        "install",
        "complete",
    ]


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("P-7", "P-7"),
        ("two words", '"two words"'),
        ("", '""'),
        ("größer", '"größer"'),
        ('a "b"', '"a ""b"""'),
        ('"', '""""'),
    ],
)
def test_words_with_blanks_are_quoted(word: str, typed: str) -> None:
    """What is no single word of ASCII goes in quotes."""
    assert quoted(word) == typed


@pytest.mark.parametrize("word", ["a\rb", "a\nb", "\x7f x"])
def test_what_cannot_be_typed_is_refused(word: str) -> None:
    """A line is never broken by what is in it."""
    with pytest.raises(UsageError, match="cannot be typed"):
        quoted(word)


def test_line_that_is_too_long_is_not_sent(desk: Desk, paper: PaperComponent) -> None:
    """The agent takes 1024 bytes with the end of the line."""
    driver = desk.driver
    with pytest.raises(UsageError, match=r"no line of this length \(got 1029\); expected at most 1023"):
        driver.agent("identify", "x" * 1020)
    assert paper.heard == []


@pytest.mark.parametrize(
    ("final", "code", "name", "text"),
    [
        ("ERROR 1 FAIL: the service cannot be reached", 1, "FAIL", "the service cannot be reached"),
        ("ERROR 2 BADPARAM: no: such", 2, "BADPARAM", "no: such"),
        ("ERROR 3 FILENOTFOUND", 3, "FILENOTFOUND", ""),
        ("ERROR 4 OUTOFMEMORY: ", 4, "OUTOFMEMORY", ""),
    ],
)
def test_refusal_has_number_name_and_text(
    desk: Desk, paper: PaperComponent, final: str, code: int, name: str, text: str
) -> None:
    """An error of the agent is a refusal with its parts, and a command refused like any other."""
    paper.said["files"] = f"{final}\n"

    with pytest.raises(AgentRefused, match=f"files was refused: ERROR {code} {name}") as refusal:
        desk.driver.agent("files")

    assert (refusal.value.code, refusal.value.name, refusal.value.text) == (code, name, text)
    assert isinstance(refusal.value, CommandRefused)


def test_what_comes_unasked_is_no_part_of_a_reply(desk: Desk, paper: PaperComponent) -> None:
    """Lines that begin with a plus sign may stand anywhere."""
    paper.said["files"] = "+BOOT: guardian-agent 2.0\nrequest: 7\n+PROVISION: 0 OK\nOK\n"

    assert desk.driver.agent("files").lines == ("request: 7",)


def test_package_key_is_a_secret_before_it_is_typed(desk: Desk, paper: PaperComponent) -> None:
    """The private key of a package is registered, and no message shows a piece of the package."""
    package = json.dumps({"signer": {"kid": "k", "private_key_pem": KEY}}).encode()
    driver = desk.driver
    paper.said["put"] = "ERROR 4 OUTOFMEMORY: no room\n"

    with pytest.raises(AgentRefused) as refusal:
        driver.install_package(package)

    assert desk.secrets == [(KEY, "package key")]
    assert str(refusal.value) == "put package 0 ... was refused: ERROR 4 OUTOFMEMORY: no room"


@pytest.mark.parametrize("package", [b"", b"\xff", b"[]", b"{}", b'{"signer": {"private_key_pem": 3}}'])
def test_package_that_cannot_be_read_is_the_boards_business(
    desk: Desk, paper: PaperComponent, package: bytes
) -> None:
    """What is no package is put onto the board all the same: suites try what it says."""
    desk.driver.install_package(package)

    assert paper.files["package"] == package
    assert desk.secrets == []


# -- provisioning --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("+PROVISION: 0 OK provisioned", (0, "OK", "provisioned", True)),
        ("+PROVISION: 0 OK", (0, "OK", "", True)),
        ("+PROVISION: 1 FAIL Duplicate HW ID", (1, "FAIL", "Duplicate HW ID", False)),
    ],
)
def test_end_of_provisioning(
    desk: Desk, paper: PaperComponent, line: str, outcome: tuple[int, str, str, bool]
) -> None:
    """The unsolicited line says how it ended, as often as it is asked."""
    driver = desk.driver
    driver.status()  # opens the console: what was said before nobody heard
    paper.say("+PROVISION: 1 FAIL of the run before")
    paper.said["provision"] = f"OK\n{line}\n"
    running = driver.start_provisioning(reprovision=True, source="Appliance", format="cose")

    ended = running.wait(10)

    assert (ended.code, ended.name, ended.text, ended.ok) == outcome
    assert running.wait(0) == ended
    assert paper.heard[-1] == "provision reprovision source=Appliance format=cose"


def test_boot_in_the_middle_ends_the_wait(desk: Desk, paper: PaperComponent) -> None:
    """A board that boots provisions no more: that is said at once, and not after the deadline."""
    paper.said["provision"] = "OK\n+BOOT: guardian-agent 2.0\n"

    with pytest.raises(BoardRestarted, match="desk: booted in the middle of 'provision'"):
        desk.driver.provision(timeout=30)


def test_boot_before_is_not_taken_for_one_in_the_middle(desk: Desk, paper: PaperComponent) -> None:
    """What an earlier boot has said is not about this run."""
    driver = desk.driver
    driver.status()
    paper.say("+BOOT: guardian-agent 2.0")
    paper.said["provision"] = "OK\n+PROVISION: 0 OK\n"

    assert driver.provision(timeout=10).ok


def test_provisioning_that_does_not_end(desk: Desk, paper: PaperComponent) -> None:
    """The wait has a deadline and says what it waited for; restoring calls the run off."""
    driver = desk.driver
    with pytest.raises(ConsoleTimeout, match="the end of 'provision'"):
        driver.provision(timeout=0.01)

    driver.restore()

    assert paper.words == ["status", "provision", "cancel", "erase"]


@pytest.mark.parametrize("line", ["+PROVISION: later", "+PROVISION:", "+PROVISION: 0 ok"])
def test_end_that_makes_no_sense_is_the_boards_fault(desk: Desk, paper: PaperComponent, line: str) -> None:
    """An end that cannot be read is not taken for a good one."""
    paper.said["provision"] = f"OK\n{line}\n"

    with pytest.raises(BoardFault, match="no end of provisioning"):
        desk.driver.provision(timeout=10)


def test_submit_says_which(desk: Desk, paper: PaperComponent) -> None:
    """The id of what was submitted is said with the answer, or with the status."""
    driver = desk.driver
    paper.said["submit"] = "request_id: 77\nstatus: verifying\nOK\n"
    assert driver.submit() == "77"

    paper.said["submit"] = "OK\n"
    paper.said["status"] = "state: requested\nrequest_id: 78\nOK\n"
    assert driver.submit() == "78"

    paper.said["status"] = "state: requested\nOK\n"
    with pytest.raises(BoardFault, match="knows of none"):
        driver.submit()


def test_another_devices_request_is_carried(desk: Desk, paper: PaperComponent) -> None:
    """A component forwards a request and collects the profile; neither is its own."""
    driver = desk.driver
    paper.said["forward"] = "request_id: 9\nOK\n"
    assert driver.forward(b"its request") == "9"
    paper.files["collected"] = b"its profile"
    assert driver.collect(10) == b"its profile"

    driver.restore()

    assert paper.files == {
        "forwarded": b"its request",
        "collected": b"its profile",
    }  # the paper drops nothing
    assert paper.heard[-2:] == ["drop collected", "drop forwarded"]
    assert "erase" not in paper.words


# -- nonsense ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "said", "ask"),
    [
        ("status", "OK\n", lambda driver: driver.status()),
        ("status", "state: ready\ncertificates: many\nOK\n", lambda driver: driver.status()),
        ("certificates", "tls\nOK\n", lambda driver: driver.certificates()),
        ("certificates", "tls 0g abc\nOK\n", lambda driver: driver.certificates()),
        ("prove", "OK\n", lambda driver: driver.prove("tls", b"x")),
        ("prove", "signature: xyz\nOK\n", lambda driver: driver.prove("tls", b"x")),
        ("request", "OK\n", lambda driver: driver.make_request()),
        ("get", "OK\n", lambda driver: driver.get_file("request")),
        ("get", "size: many\nOK\n", lambda driver: driver.get_file("request")),
        ("get", "size: 3\ndata: !!\nOK\n", lambda driver: driver.get_file("request")),
        ("get", "size: 3\ndata:\nOK\n", lambda driver: driver.get_file("request")),
        ("get", "size: 1\ndata: YWI=\nOK\n", lambda driver: driver.get_file("request")),
        ("get", "size: 99999999\ndata: YWI=\nOK\n", lambda driver: driver.get_file("request")),
    ],
)
def test_nonsense_is_the_boards_fault(
    desk: Desk, paper: PaperComponent, word: str, said: str, ask: Callable[[GuardianComponentDriver], Any]
) -> None:
    """An answer that cannot be read names the board, and is never taken for a good one."""
    driver = desk.driver
    paper.said[word] = said

    with pytest.raises(BoardFault, match="desk"):
        ask(driver)


def test_silence_is_bad_health(desk: Desk, paper: PaperComponent, monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that says nothing, or nothing sensible, is not healthy; asking raises nothing."""
    monkeypatch.setattr("harness_guardian.driver.HEALTH_SECONDS", 0.05)
    driver = desk.driver
    paper.said["status"] = "OK\n"
    assert not driver.health()
    paper.said["status"] = "ERROR 1 FAIL: no\n"
    assert not driver.health()
    paper.said["status"] = ""
    assert not driver.health()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_any_line_is_data_or_an_end(text: str) -> None:
    """A line ends a reply only as the dialect says, and then it can be read."""
    dialect = AgentDialect()
    if dialect.is_final(text):
        assert text == "OK" or re.match(r"ERROR \d+ [A-Z_]+", text)
    assert dialect.is_unsolicited(text) == (text[:1] == "+")
    assert not dialect.is_echo(text, text)


def test_link_names_the_board(paper: PaperComponent) -> None:
    """A link of its own works without a driver; a silent board is named with the command."""
    paper.said["identify"] = ""
    with paper.console() as console, pytest.raises(ConsoleTimeout, match=r"'identify' \(the agent of desk\)"):
        ConsoleLink(lambda: console, "desk").run(["identify"], timeout=0.01)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8")), max_size=4)
)
def test_words_arrive_as_they_are(words: list[str]) -> None:
    """Whatever the words are, the component's own reading of the line gives them back."""
    assert split_words(" ".join(map(quoted, words))) == words
