"""Reports of whole sessions: what a user finds in the terminal, in JUnit, in Allure, in the summary."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pytest_plugin.conftest import Result, Suite

MEASURED = True

SECRET = "teddy-bears-name"  # of the tiny vendor's harness_secrets
REGISTERED = "balloon-key"  # registered by its client when it is made

SUITE = '''
    """What a careful and a careless author write."""
    import allure, logging, pytest
    from harness.errors import BackendFault, BoardFault, RigFault
    from harness.evidence import attach, step

    SECRET = "-".join(["teddy", "bears", "name"])
    REGISTERED = "-".join(["balloon", "key"])

    @pytest.mark.proves("say", "it is said")
    def test_good(board, toycloud):
        """The toy says what it is told.

        And more that is no title.
        """
        with step("Let the toy speak"):
            with step("Set it first"):
                board.driver.set("seven")
            attach("note", f"a note with {SECRET}")
            toycloud.greet()

    @pytest.mark.proves("say", "it is said")
    @pytest.mark.proves("forget", "never")
    def test_bad(board, toycloud, tmp_path):
        """A toy that forgets."""
        board.driver.set("eight")
        board.console.write(b"SAY " + SECRET.encode() + b"\\n")
        board.console.expect(SECRET, timeout=5)
        print("printed", SECRET)
        logging.getLogger().warning("logged %s", REGISTERED)
        allure.attach(SECRET, "raw", allure.attachment_type.TEXT)
        (tmp_path / "file.txt").write_text("a file with " + SECRET)
        allure.attach.file(tmp_path / "file.txt", "file")
        with allure.step("raw step " + SECRET):
            pass
        assert board.driver.get() == "nine " + SECRET + " " + REGISTERED

    def test_without_marker(board):
        with pytest.raises(ValueError):
            pass

    def test_service(toycloud):
        raise BackendFault("the service said " + REGISTERED)

    def test_rig(board):
        raise RuntimeError("wrapped") from RigFault("no power")

    @pytest.fixture
    def breaks_afterwards():
        yield
        raise RigFault("the switch is stuck")

    def test_broken_afterwards(board, breaks_afterwards):
        pass

    def test_mistake(board):
        None.attribute

    @pytest.fixture
    def unplugged(board):
        board.console
        board.virtual.unplug()
        yield
        board.virtual.plug()
        board.close()

    def test_gone(unplugged):
        assert False

    @pytest.mark.proves("skip", "is no proof")
    def test_skipped(board):
        pytest.skip("no wings for " + SECRET)

    @pytest.mark.xfail(reason="known", strict=True)
    def test_expected(board):
        assert False

    @pytest.mark.xfail(reason="mended", strict=True)
    def test_mended(board):
        pass
'''

EVIDENCE = """
    def harness_collect_evidence(board, item):
        if item.name == "test_rig":
            raise OSError("the camera is off")
        return {"some/where/state.json": b'{"key": "teddy-bears-name"}', "dump.strange": b"dumped"}
"""

VERDICTS = {
    "test_good": None,
    "test_bad": "product",
    "test_without_marker": "product",
    "test_service": "backend",
    "test_rig": "rig",
    "test_broken_afterwards": "rig",
    "test_mistake": "suite",
    "test_gone": "rig",
    "test_skipped": None,
    "test_expected": None,
    "test_mended": "suite",
}


def results_of(directory: Path) -> dict[str, dict[str, Any]]:
    """Read Allure results by the name of the test function."""
    found = [json.loads(file.read_text()) for file in directory.glob("*-result.json")]
    return {result["fullName"].partition("#")[2]: result for result in found}


def labels_of(result: dict[str, Any], name: str) -> list[str]:
    """Return an Allure result's labels of one name."""
    return [label["value"] for label in result["labels"] if label["name"] == name]


def attachments_of(directory: Path, node: dict[str, Any]) -> dict[str, str]:
    """Read the attachments of an Allure result or step, by name."""
    return {each["name"]: (directory / each["source"]).read_text() for each in node.get("attachments", ())}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_everything_is_reported_and_no_secret(suite: Suite, workers: list[str]) -> None:
    """All reports of one session agree, with xdist and without, and hold no secret in any form."""
    suite.write("toys/test_toys.py", SUITE)
    suite.write("toys/conftest.py", EVIDENCE)
    allure, junit, summary = (suite.directory / name for name in ("allure", "junit.xml", "out/summary.html"))

    result = suite.run(
        *("--bench", "virtual", "--boards", "toy-a=2", "--backend", "toycloud=fake", *workers),
        *(f"--alluredir={allure}", f"--junitxml={junit}", f"--summary={summary}"),
    )

    assert result.code == 1, result

    check_terminal(result, allure, junit, summary)
    check_junit(junit)
    check_summary(summary)
    check_allure(allure)
    check_that_no_secret_is_in({"terminal": result.out + result.err}, junit, allure, summary.parent)


def check_terminal(result: Result, allure: Path, junit: Path, summary: Path) -> None:
    """The accounts add up, pairs are those of passed tests only, places are named."""
    assert result.lines_with("11 collected = 1 passed + 8 failed + 2 skipped + 0 not run"), result
    assert result.lines_with("1 distinct (operation, outcome) pairs")
    assert result.lines_with("say  it is said")
    assert result.lines_with(f"Allure results: {allure}")
    assert result.lines_with(f"Summary: {summary}")
    assert result.lines_with(f"JUnit: {junit}")
    assert result.lines_with("product: the board did wrong, and it still answers")
    assert result.lines_with(
        "to repeat it: pytest toys/test_toys.py::test_bad --bench virtual --boards toy-a=1"
    )
    assert result.lines_with("[redacted: toy secret]")


def check_junit(junit: Path) -> None:
    """Each test case has its properties."""
    cases = {case.get("name"): case for case in ET.parse(junit).iter("testcase")}  # noqa: S314 - written by pytest
    found = {
        name: {prop.get("name"): prop.get("value") for prop in case.iter("property")}
        for name, case in cases.items()
    }
    assert {name: properties.get("verdict") for name, properties in found.items()} == VERDICTS
    assert found["test_bad"]["board"] in {"toy-a-0", "toy-a-1"}
    assert found["test_bad"]["kind"] == "toy-a"
    assert found["test_bad"]["bench"] == "virtual"
    assert found["test_bad"]["backend"] == "toycloud=fake"
    assert [
        prop.get("value") for prop in cases["test_bad"].iter("property") if prop.get("name") == "proves"
    ] == [
        "say: it is said",
        "forget: never",
    ]
    assert "[redacted: key]" in ET.tostring(cases["test_bad"], encoding="unicode")


def check_summary(summary: Path) -> None:
    """The page and its data have verdict, board, reason and pairs."""
    data = json.loads(summary.with_suffix(".json").read_text())
    by_name = {test["nodeid"].partition("::")[2]: test for test in data["tests"]}
    assert {name: test["verdict"] for name, test in by_name.items()} == VERDICTS
    assert {test["suite"] for test in by_name.values()} == {"toys"}
    assert by_name["test_skipped"]["reason"] == "no wings for [redacted: toy secret]"
    assert by_name["test_bad"]["boards"][0]["bench"] == "virtual"
    assert data["pairs"] == [{"operation": "say", "outcome": "it is said"}]
    assert "VIRTUAL BENCH: 2 boards, all simulated" in summary.read_text()


def check_allure(allure: Path) -> None:
    """Titles, labels, steps, console, exchange and verdict are in the results."""
    results = results_of(allure)
    assert set(results) == set(VERDICTS)
    for name, verdict in VERDICTS.items():
        assert labels_of(results[name], "verdict") == ([verdict] if verdict else []), name
        if verdict:
            assert results[name]["statusDetails"]["message"].startswith(f"{verdict}: ")
    good = results["test_good"]
    assert good["name"] == "The toy says what it is told"
    assert labels_of(good, "epic") == ["toys"]
    assert labels_of(good, "feature") == ["say"]
    assert labels_of(good, "story") == ["it is said"]
    assert labels_of(good, "kind") == ["toy-a"]
    assert labels_of(good, "bench") == ["virtual"]
    assert labels_of(good, "backend") == ["toycloud"]
    assert labels_of(good, "mode") == ["fake"]
    assert labels_of(results["test_without_marker"], "feature") == ["toys"]
    assert results["test_mistake"]["name"] == "test_mistake"
    (parameter,) = good["parameters"]
    assert (parameter["name"], parameter["excluded"]) == ("board", True)
    speak = next(step for step in good["steps"] if step["name"] == "Let the toy speak")
    assert [step["name"] for step in speak["steps"]] == ["Set it first"]
    assert attachments_of(allure, speak) == {"note": "a note with [redacted: toy secret]"}
    greet = next(step for step in good["steps"] if step["name"] == "Greet \N{RIGHTWARDS ARROW} 200")
    exchange = attachments_of(allure, greet)["HTTP: Greet \N{RIGHTWARDS ARROW} 200"]
    assert exchange.startswith("GET /hello\n")
    assert exchange.endswith("\nhello")
    bad = results["test_bad"]
    console = attachments_of(allure, bad)["Console (console)"]
    assert "  = eight\n" in console
    assert "  [redacted: toy secret]\n" in console
    assert "---- last lines of the console ----\n" in bad["statusDetails"]["trace"]
    assert "[redacted: toy secret]\n= eight" in bad["statusDetails"]["trace"]
    assert (
        "bench = VIRTUAL (2 boards, all simulated, no hardware)"
        in (allure / "environment.properties").read_text()
    )


def check_that_no_secret_is_in(texts: dict[str, str], *places: Path) -> None:
    """Nowhere is a secret, in whatever form."""
    files = [file for place in places for file in (place.iterdir() if place.is_dir() else [place])]
    texts = texts | {str(file): file.read_text() for file in files}
    for secret in (SECRET, REGISTERED):
        in_base64 = base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
        for form in (secret, secret.encode().hex(), in_base64):
            assert [name for name, text in texts.items() if form in text] == []


def test_a_test_whose_worker_died(suite: Suite) -> None:
    """Each report has the test, blames nobody's board, and shows what the board said last."""
    suite.write(
        "test_it.py",
        """
        import os, pytest, signal
        from harness.errors import ConsoleTimeout

        def test_dies(board):
            board.console.write(b"SAY last words\\n")
            board.console.expect("last words", timeout=5)
            with pytest.raises(ConsoleTimeout):  # a capture may hold back what came just before a kill
                board.console.expect("nothing", timeout=1)
            os.kill(os.getpid(), signal.SIGKILL)

        def test_lives(board):
            pass
        """,
    )
    allure, junit, summary = (suite.directory / name for name in ("allure", "junit.xml", "summary.html"))

    result = suite.run(
        *(
            "--bench",
            "virtual",
            "--boards",
            "toy-a=1",
            "-n",
            "1",
            f"--alluredir={allure}",
            "--clean-alluredir",
        ),
        *(f"--junitxml={junit}", f"--summary={summary}"),
    )

    assert result.code == 1, result
    assert result.lines_with("2 collected = 1 passed + 1 failed + 0 skipped + 0 not run"), result
    data = json.loads(summary.with_suffix(".json").read_text())
    dead = next(test for test in data["tests"] if "dies" in test["nodeid"])
    assert (dead["outcome"], dead["verdict"]) == ("failed", "suite")
    assert dead["boards"][0]["id"] == "toy-a-0"
    assert "last words" in summary.read_text()
    results = results_of(allure)
    assert set(results) == {"test_dies", "test_lives"}
    assert results["test_dies"]["status"] == "broken"
    assert labels_of(results["test_dies"], "verdict") == ["suite"]
    assert labels_of(results["test_dies"], "board") == ["toy-a-0"]
    assert results["test_dies"]["statusDetails"]["trace"].count("last words") == 1
    assert "crashed" in results["test_dies"]["statusDetails"]["message"]
    assert "last words" in junit.read_text()


def test_each_case_has_a_history_of_its_own(suite: Suite) -> None:
    """Cases whose parameters look alike when shown, bytes or redacted, are not taken for retries of one."""
    suite.write(
        "test_it.py",
        """
        import pytest

        NAME = "-".join(["teddy", "bears", "name"])

        @pytest.mark.parametrize("value", [b"1", b"2", NAME + "1", NAME + "2"])
        def test_it(board, value):
            pass
        """,
    )
    allure = suite.directory / "allure"

    result = suite.run("--bench", "virtual", "--boards", "toy-a=1", f"--alluredir={allure}")

    assert result.code == 0, result
    results = [json.loads(file.read_text()) for file in allure.glob("*-result.json")]
    shown = [
        tuple((each["name"], each["value"]) for each in found["parameters"] if not each.get("excluded"))
        for found in results
    ]
    assert len(set(shown)) == 4, shown
    assert len({found["historyId"] for found in results}) == 4
    assert {("case", "1"), ("case", "2")} < {pair for pairs in shown for pair in pairs}
    assert SECRET not in json.dumps(results)
