"""A suite whose tests give secrets away wherever a test can write something; for sessions of its own."""

CONFTEST = '''
import base64, html, json, os, urllib.parse
from pathlib import Path

import pytest

from harness.redaction import Secret

GIVEN = json.loads(os.environ["CANARIES"])


def harness_secrets():
    return [Secret(label="hook", value=GIVEN["hook"])]


def harness_collect_evidence(board, item):
    return {"evidence.txt": EVIDENCE.get(item.name, "").encode()}


EVIDENCE = {}


def encodings(value):
    raw = value.encode()
    return {
        "raw": value,
        "base64": base64.b64encode(raw).decode(),
        "base64, second": base64.b64encode(b"x" + raw + b"tail").decode(),
        "base64, third": base64.b64encode(b"xy" + raw + b"tail").decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode(),
        "mime": base64.encodebytes(raw * 3).decode(),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "dump": raw[:64].hex(" "),
        "url": urllib.parse.quote(value, safe=""),
        "form": urllib.parse.urlencode({"key": value}),
        "json": json.dumps({"key": value}),
        "json in json": json.dumps(json.dumps({"key": value})),
        "json in base64": base64.b64encode(json.dumps({"key": value}).encode()).decode(),
        "base64 in url": urllib.parse.quote(base64.b64encode(raw).decode(), safe=""),
        "xml": html.escape(value).replace("\\n", "&#10;"),
        "repr": repr(value),
        "repr of bytes": repr(raw),
        "crlf": value.replace("\\n", "\\r\\n"),
        "indented": "\\n".join("E    | " + line for line in value.splitlines()),
    }


def every_encoding(value):
    return "".join(f"<{name}>\\n{text}\\n</{name}>\\n" for name, text in encodings(value).items())


@pytest.fixture
def canary(name, board, nrfcloud, register_secret):
    """One secret of each source, registered by whoever brings it in."""
    from harness_nordic.client_requests import ClientPrivateKey, PreSharedKey

    if name == "api key":
        value = nrfcloud._http._headers["Authorization"].removeprefix("Bearer ")
    elif name == "private key":
        value = Path(os.environ["CANARY_KEY"]).read_text()
        device = nrfcloud.claim(board.driver.attestation_token())
        device.add_command(ClientPrivateKey(sec_tag=910000001, content=value))
    elif name == "pre-shared key":
        value = GIVEN[name]
        board.driver.write_credential(910000001, 3, value)
    elif name == "attestation token":
        value = board.driver.attestation_token()
    elif name == "jwt":
        value = board.driver.jwt()
    elif name == "fixture":
        value = GIVEN[name]
        register_secret(value, "fixture")
    else:
        value = GIVEN[name]
    note(name, value)
    return value


def note(name, value):
    """Tell the outer test a secret that counts."""
    with open(os.environ["CANARY_NOTES"], "a") as notes:
        notes.write(json.dumps([name, value]) + "\\n")


def pytest_runtest_logreport(report):
    """What a plugin that writes reports of its own does, in the controller."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        data = CONFIG[0].hook.pytest_report_to_serializable(config=CONFIG[0], report=report)
        with open("reports.jsonl", "a") as file:
            file.write(json.dumps(data, default=str) + "\\n")


def pytest_warning_recorded(warning_message):
    """What such a plugin does with warnings."""
    with open("warnings.txt", "a") as file:
        file.write(str(warning_message.message))


CONFIG = []


def pytest_configure(config):
    CONFIG.append(config)
'''

TESTS = '''
import json, logging, os, signal, sys, tempfile, warnings

import allure
import pytest

from conftest import EVIDENCE, GIVEN, every_encoding, note

NAMES = ["api key", "private key", "pre-shared key", "attestation token", "jwt", "fixture", "hook"]
nordic = pytest.mark.board(driver="nrf91", needs={"attestation"})


@nordic
@pytest.mark.parametrize("name", NAMES)
def test_leaks(name, canary, record_property, record_xml_attribute, request):
    """Everything that a careless author may write."""
    text = every_encoding(canary)
    EVIDENCE[request.node.name] = text
    print(text)
    print(text, file=sys.stderr)
    sys.stdout.buffer.write(text.encode())
    for piece in (text[at : at + 7] for at in range(0, len(text), 7)):
        sys.stdout.write(piece)
    for line in canary.splitlines():
        print("board said:", line)
    logging.getLogger("leak").warning("logged %s", text)
    warnings.warn(text)
    record_property("leak", text)
    record_property(canary, "leak")
    record_xml_attribute("leak", canary)
    allure.attach(text, "text " + canary, allure.attachment_type.TEXT)
    allure.attach(b"\\0\\xff" + text.encode(), "binary", extension="bin")
    allure.attach(json.dumps({"nested": json.dumps({"key": canary})}), "json", allure.attachment_type.JSON)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        allure.attach.file(file.name, "file")
    allure.dynamic.title("title " + canary)
    allure.dynamic.description(text)
    allure.dynamic.link("https://host/" + canary, name=canary)
    allure.dynamic.tag(canary)
    allure.dynamic.parameter("parameter", canary)
    with allure.step("step " + canary):
        allure.attach(text, "in a step")
    try:
        raise ValueError(text)
    except ValueError as cause:
        error = RuntimeError("chained " + canary)
        error.add_note("note " + canary)
        raise error from cause


@nordic
@pytest.mark.parametrize("name", NAMES)
def test_compares(name, canary):
    """Pytest shows, shortens and compares what an assertion is about."""
    shown = {"key": canary, "list": [canary, "x" * 100]}
    assert shown == {"key": canary[:-1] + "!", "list": []}


@nordic
@pytest.mark.parametrize("name", NAMES)
def test_compares_texts(name, canary):
    assert canary in "x" * 300 + canary[1:]


@nordic
@pytest.mark.parametrize("name", NAMES)
def test_skips(name, canary):
    pytest.skip("no reason but " + canary)


@nordic
@pytest.mark.parametrize("name", NAMES)
def test_fails_as_expected(name, canary, request):
    request.applymarker(pytest.mark.xfail(reason="because of " + canary))
    assert False


@nordic
@pytest.mark.parametrize("name", NAMES)
def test_breaks_afterwards(name, canary, request):
    request.addfinalizer(lambda: pytest.fail("afterwards " + canary))


@pytest.mark.parametrize("value", [GIVEN["hook"]])
def test_ids(value, board):
    assert not value


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs a worker that may die")
@pytest.mark.board(kind="toy-a")
@pytest.mark.parametrize("value", [GIVEN["hook"]])
def test_dies(board, value, register_secret):
    """The controller alone is left to report what the board said last."""
    register_secret(GIVEN["crash"], "crash")
    note("crash", GIVEN["crash"])
    board.console.write(b"SAY this is " + GIVEN["crash"].encode() + b"\\n")
    board.console.expect("worker-that-died\\r\\n", timeout=5)
    with pytest.raises(Exception):  # a capture may hold back what came just before a kill
        board.console.expect("nothing", timeout=1)
    os.kill(os.getpid(), signal.SIGKILL)
'''

BROKEN = """
from conftest import GIVEN, every_encoding

raise RuntimeError(every_encoding(GIVEN["hook"]))
"""

FILES = {
    "conftest.py": CONFTEST,
    "test_leaks.py": TESTS,
    "test_broken.py": BROKEN,
    "pytest.ini": "[pytest]\njunit_family = xunit1\njunit_logging = all\npythonpath = .\n",
}
