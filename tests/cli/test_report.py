"""``harness report``: failure paths with stand-ins for Node and Allure, and the real ones where installed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import report as command
from harness.errors import HarnessError, UsageError
from tests.real_allure import data_of, installed_allure

PAGE = (
    "<!doctype html><html><head><title>x</title></head><body>"
    '<script src="data:text/javascript;base64,LyohIA=="></script>'
    '<script async src="https://www.example.com/gtag/js?id=G-1"></script>\n'
    "<script>\n window.dataLayer = []; function gtag(){} gtag('config', 'G-1');\n</script>"
    "<script>d('data/results.json', 'aHR0cHM6Ly94')</script></body></html>"
)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A directory with one Allure result."""
    directory = tmp_path / "allure-results"
    directory.mkdir()
    result = {
        "uuid": "1",
        "name": "A blocked board is refused",
        "fullName": "t#t",
        "status": "failed",
        "start": 1,
        "stop": 2,
        "statusDetails": {"message": "product: AssertionError"},
        "labels": [{"name": "verdict", "value": "product"}],
    }
    (directory / "1-result.json").write_text(json.dumps(result))
    (directory / "environment.properties").write_text("bench = VIRTUAL (4 boards)\n")
    return directory


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH, empty."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def stand_in(file: Path, body: str) -> Path:
    """Write an executable Python script."""
    file.write_text(f"#!{sys.executable} -IS\nimport os, pathlib, sys\n{body}\n")
    file.chmod(0o755)
    return file


def node_that_runs(path: Path, *, version: str = "v20.20.2") -> Path:
    """Put a Node on the PATH that tells its version and runs scripts by themselves."""
    return stand_in(
        path / "node",
        f"if sys.argv[1] == '--version': print({version!r})\nelse: os.execv(sys.argv[1], sys.argv[1:])",
    )


def allure_that_makes(tmp_path: Path, page: str) -> Path:
    """Make an Allure that writes a page where its configuration says, and keeps that configuration."""
    return stand_in(
        tmp_path / "allure",
        "import json\n"
        "assert sys.argv[1] == 'generate' and sys.argv[3] == '--config'\n"
        "text = pathlib.Path(sys.argv[4]).read_text()\n"
        f"pathlib.Path({str(tmp_path / 'config.json')!r})"
        ".write_text(text.removeprefix('export default ').rstrip().removesuffix(';'))\n"
        "out = pathlib.Path(json.loads(text[len('export default '):].rstrip().rstrip(';'))['output'])\n"
        "out.mkdir()\n"
        f"(out / 'index.html').write_text({page!r})",
    )


def run(results: Path, output: Path, allure: Path | None = None) -> None:
    """Make a report."""
    command.report(results, output, allure)


def test_page_is_made_self_contained(tmp_path: Path, results: Path, path: Path) -> None:
    """The script from the net and what would call it are gone; the page's own scripts and data stay."""
    node_that_runs(path)
    run(results, tmp_path / "out" / "page.html", allure_that_makes(tmp_path, PAGE))

    page = (tmp_path / "out" / "page.html").read_text()
    assert "example.com" not in page
    assert "gtag" not in page
    assert "data:text/javascript;base64,LyohIA==" in page
    assert "aHR0cHM6Ly94" in page
    assert re.search(r"<head><meta http-equiv=\"Content-Security-Policy\" content=\"default-src data: ", page)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["page.html"]


def test_each_verdict_is_a_category(tmp_path: Path, results: Path, path: Path) -> None:
    """Allure is told one category a verdict, matched by label, and a title that names the bench."""
    node_that_runs(path)
    run(results, tmp_path / "page.html", allure_that_makes(tmp_path, PAGE))

    config = json.loads((tmp_path / "config.json").read_text())
    assert config["name"] == "Provisioning: VIRTUAL (4 boards)"
    assert [category["matchers"] for category in config["categories"]] == [
        {"statuses": ["failed", "broken"], "labels": {"verdict": f"^{verdict}$"}}
        for verdict in ("usage", "rig", "backend", "product", "suite")
    ]
    assert config["plugins"]["awesome"]["options"]["singleFile"] is True


@pytest.mark.parametrize("properties", [None, "", "nonsense", "boards = 3"])
def test_results_without_a_known_bench(tmp_path: Path, properties: str | None) -> None:
    """Results of another pytest run are reported under a plain title."""
    if properties is not None:
        (tmp_path / "environment.properties").write_text(properties)
    assert command.report_name(tmp_path) == "Provisioning"


def test_no_results(tmp_path: Path, path: Path) -> None:
    """A directory that is missing or holds no results is a usage error, told before Node is looked for."""
    with pytest.raises(UsageError, match=r"nowhere: holds no Allure results; expected .*--alluredir"):
        run(tmp_path / "nowhere", tmp_path / "page.html")
    with pytest.raises(UsageError, match="holds no Allure results"):
        run(tmp_path, tmp_path / "page.html")


def test_no_node(tmp_path: Path, results: Path, path: Path) -> None:
    """A machine without Node gets one line that says what is needed."""
    with pytest.raises(UsageError, match="needs Node; there is none; expected Node 20 or newer on the PATH"):
        run(results, tmp_path / "page.html")


@pytest.mark.parametrize("version", ["v18.19.0", "v9.1.0", "nonsense", ""])
def test_old_node(tmp_path: Path, results: Path, path: Path, version: str) -> None:
    """A Node that is too old, or does not tell its version, is named with what is needed."""
    node_that_runs(path, version=version)
    with pytest.raises(UsageError, match=r"needs a newer Node.*expected Node 20 or newer"):
        run(results, tmp_path / "page.html")


def test_no_allure(tmp_path: Path, results: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Allure the message says how to install it, whether a place was named or not."""
    node_that_runs(path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"--allure: Allure 3 is not installed; expected .*npm install"):
        run(results, tmp_path / "page.html")
    with pytest.raises(UsageError, match="nowhere/allure: --allure: Allure 3 is not installed"):
        run(results, tmp_path / "page.html", tmp_path / "nowhere" / "allure")


def test_allure_is_found_in_the_build_directory(
    tmp_path: Path, results: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without being named, Allure is taken from where the Makefile installs it."""
    node_that_runs(path)
    installed = tmp_path / "build" / "allure" / "node_modules" / ".bin" / "allure"
    installed.parent.mkdir(parents=True)
    installed.symlink_to(allure_that_makes(tmp_path, PAGE))
    monkeypatch.chdir(tmp_path)
    run(results, Path("page.html"))

    assert (tmp_path / "page.html").is_file()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("print('no such plugin', file=sys.stderr); sys.exit(3)", r"exit code 3\): no such plugin"),
        ("print('nothing to do')", r"exit code 0\): nothing to do"),
    ],
)
def test_allure_fails(tmp_path: Path, results: Path, path: Path, body: str, message: str) -> None:
    """What Allure said last is in the message, also when it claims success and made nothing."""
    node_that_runs(path)
    with pytest.raises(HarnessError, match=f"Allure made no report.*{message}"):
        run(results, tmp_path / "page.html", stand_in(tmp_path / "allure", body))
    assert not (tmp_path / "page.html").exists()


def test_allure_hangs(tmp_path: Path, results: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allure has a deadline."""
    node_that_runs(path)
    monkeypatch.setattr(command, "DEADLINE", 0.5)
    allure = stand_in(tmp_path / "allure", "import signal; signal.pause()")
    with pytest.raises(HarnessError, match="no report within"):
        run(results, tmp_path / "page.html", allure)


@pytest.mark.parametrize(
    "rest",
    [
        '<link rel="stylesheet" href="https://example.com/x.css">',
        "<img src=//example.com/x.png>",
        '<iframe src="http://example.com/"></iframe>',
        '<SCRIPT SRC="https://example.com/x.js">inline</SCRIPT>',
    ],
)
def test_a_page_that_would_load_something_is_refused(
    tmp_path: Path, results: Path, path: Path, rest: str
) -> None:
    """What we cannot take out is a failure that names it; an older page is left alone."""
    node_that_runs(path)
    output = tmp_path / "page.html"
    output.write_text("older")
    with pytest.raises(HarnessError, match=r"would load something from the net: .*example\.com"):
        run(results, output, allure_that_makes(tmp_path, PAGE.replace("<body>", f"<body>{rest}")))
    assert output.read_text() == "older"


def test_a_page_that_is_no_page(tmp_path: Path, results: Path, path: Path) -> None:
    """A page without a head cannot carry the policy and is refused."""
    node_that_runs(path)
    with pytest.raises(HarnessError, match="no head"):
        run(results, tmp_path / "page.html", allure_that_makes(tmp_path, "hello"))


def test_a_page_that_is_too_large(
    tmp_path: Path, results: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page over the limit is a failure that says both sizes."""
    node_that_runs(path)
    monkeypatch.setattr(command, "LARGEST_PAGE", 100)
    with pytest.raises(HarnessError, match=r"the report has 0\.0 MB, at most 0\.0 MB"):
        run(results, tmp_path / "page.html", allure_that_makes(tmp_path, PAGE))


def test_command_line(tmp_path: Path, results: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command takes results, --output and --allure, which the environment may name too."""
    node_that_runs(path)
    app = typer.Typer()
    command.add_to(app)
    monkeypatch.setenv("HARNESS_ALLURE", str(allure_that_makes(tmp_path, PAGE)))
    done = CliRunner().invoke(app, [str(results), "--output", str(tmp_path / "page.html")])

    assert done.exit_code == 0, done.output
    assert "page.html (0.0 MB)" in done.output.replace("\n", "")


@pytest.mark.skipif(installed_allure() is None, reason="Allure 3 is not installed (make report installs it)")
def test_real_allure(tmp_path: Path, results: Path) -> None:
    """The real Allure makes a page with our category and test in it that loads nothing from the net."""
    run(results, tmp_path / "page.html", installed_allure())

    page = (tmp_path / "page.html").read_text()
    assert "googletagmanager" not in page
    assert data_of(page, "widgets/statistic.json")["failed"] == 1
    categories = data_of(page, "widgets/categories.json")
    assert "product: the board did wrong" in json.dumps(categories)
