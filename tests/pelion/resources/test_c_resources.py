"""The reader of C files: what a C compiler sees, it sees; everything else is one clear message."""

from __future__ import annotations

import json
import re
import shutil
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness_pelion.c_resources import LARGEST, parse
from tests.pelion.resources.c_files import DEVELOPER

GOLDEN = Path(__file__).parents[1] / "golden"


def test_developer_file_gives_its_twelve_values() -> None:
    """All twelve are read in their order, the sizes left out; a trailing ``r`` stays, as MBL CLI loses it."""
    found = parse(DEVELOPER)

    assert list(found) == [
        "MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME",
        "MBED_CLOUD_DEV_ACCOUNT_ID",
        "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_URI",
        "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_CERTIFICATE",
        "MBED_CLOUD_DEV_BOOTSTRAP_SERVER_ROOT_CA_CERTIFICATE",
        "MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY",
        "MBED_CLOUD_DEV_MANUFACTURER",
        "MBED_CLOUD_DEV_MODEL_NUMBER",
        "MBED_CLOUD_DEV_SERIAL_NUMBER",
        "MBED_CLOUD_DEV_DEVICE_TYPE",
        "MBED_CLOUD_DEV_HARDWARE_VERSION",
        "MBED_CLOUD_DEV_MEMORY_TOTAL_KB",
    ]
    assert found["MBED_CLOUD_DEV_MANUFACTURER"] == b"dev_manufacturer"
    assert found["MBED_CLOUD_DEV_BOOTSTRAP_ENDPOINT_NAME"] == b"0123456789abcdef0123456789abcdef"
    assert found["MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_CERTIFICATE"] == b'0\x82\x02\x7e\x00\r\n";,'
    assert found["MBED_CLOUD_DEV_MEMORY_TOTAL_KB"] == b"0"


@pytest.mark.parametrize(
    ("version", "sizes"),
    [
        (
            "1_5_2",
            {
                "arm_uc_vendor_id": 16,
                "arm_uc_class_id": 16,
                "arm_uc_default_fingerprint": 32,
                "arm_uc_default_subject_key_identifier": 20,
                "arm_uc_default_certificate": 388,
                "arm_uc_default_psk": 0,
                "arm_uc_default_psk_id": 0,
            },
        ),
        (
            "2_6_2",
            {
                "arm_uc_vendor_id": 16,
                "arm_uc_class_id": 16,
                "arm_uc_default_fingerprint": 1,
                "arm_uc_default_certificate": 390,
                "arm_uc_update_public_key": 65,
            },
        ),
    ],
)
def test_real_files_of_manifest_tool(version: str, sizes: dict[str, int]) -> None:
    """Files of both generations are read; their certificates are byte for byte those that the tool wrote."""
    found = parse((GOLDEN / f"update_{version}.c").read_bytes())

    assert {name: len(value) for name, value in found.items()} == sizes
    assert found["arm_uc_default_certificate"] == (GOLDEN / f"update_{version}.der").read_bytes()


def test_real_ids() -> None:
    """Both ids are those that the tool itself wrote into its settings."""
    old, new = (parse((GOLDEN / f"update_{version}.c").read_text()) for version in ("1_5_2", "2_6_2"))

    assert old["arm_uc_vendor_id"].hex() == "fa6b4a53d5ad5fdfbe9de663e4d41ffe"
    assert old["arm_uc_class_id"].hex() == "4d131344feab5a2e84a20dccdd905f35"
    assert new["arm_uc_vendor_id"].hex() == "b7208fa6ba5c4ac6acbcc14e9d44fa5f"
    assert new["arm_uc_class_id"].hex() == "151be61fe2c64f619272cdee0eb77078"
    assert new["arm_uc_default_fingerprint"] == b"\0"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("const uint8_t arm_uc_x[] = {0x2, 0X0A,255 , 017, 'a'};", b"\x02\x0a\xff\x0fa"),
        ("const uint8_t arm_uc_x[] = {0};", b"\0"),
        ("const uint8_t arm_uc_x[] = {1,};", b"\1"),
        ("const uint8_t arm_uc_x[] = {};", b""),
        ("const uint8_t arm_uc_x[3] = {1u, 2L, 3UL};", b"\1\2\3"),
        ("static const unsigned char\narm_uc_x [ ]\n=\n{\n1 }\n;", b"\1"),
        ('const char arm_uc_x[] = "a,b; {c} = d";', b"a,b; {c} = d"),
        ('const char arm_uc_x[16] = "short";', b"short"),
        ('const char *arm_uc_x = "one" /* and */ "two";', b"onetwo"),
        ('const char arm_uc_x[] = {"braced"};', b"braced"),
        (r'const char arm_uc_x[] = "\"\\\n\t\x41\101\0r";', b'"\\\n\tAA\0r'),
        ('const char arm_uc_x[] = "driver";', b"driver"),
        ('const char arm_uc_x[] = "/* no comment */ // none";', b"/* no comment */ // none"),
        ('const char arm_uc_x[] = "# no line";', b"# no line"),
        ('const char arm_uc_x[] = "\u00e9";', b"\xc3\xa9"),
        ('const char arm_uc_x[] = "con\\\ntinued";', b"continued"),
        ("const uint32_t arm_uc_x = 0x10;", b"16"),
        ("const uint32_t arm_uc_x = 1048576u;", b"1048576"),
        ("#define arm_uc_y 3\nconst uint32_t arm_uc_x = 1; // = 2;\n", b"1"),
        ('#ifdef __cplusplus\nextern "C" {\n#endif\nconst uint32_t arm_uc_x = 1;\n}', b"1"),
        ("extern const uint8_t arm_uc_x[];\nconst uint8_t arm_uc_x[] = {7};", b"\7"),
        ("#if 0\nconst uint32_t arm_uc_x = 1;\n# else\nconst uint32_t arm_uc_x = 2;\n#endif", b"2"),
        ("#if 1\nconst uint32_t arm_uc_x = 1;\n#else\nconst uint32_t arm_uc_x = 2;\n#endif", b"1"),
        ("#if 1\nconst uint32_t arm_uc_x = 1;\n#elif A\n#else\nconst uint32_t arm_uc_x = 2;\n#endif", b"1"),
        ("#if 0 /* no */\n'\n#elif 1 // yes\nconst uint32_t arm_uc_x = 2;\n#else\n'\n#endif", b"2"),
        ("#if 0 || defined(A)\nconst uint32_t arm_uc_x = 1;\n#endif", b"1"),
        ("#if 0\n#ifdef A\nit's no C \" at all\n#endif\n#endif\nconst uint32_t arm_uc_x = 3;", b"3"),
        ("const uint8_t other[] = {300}; const uint32_t arm_uc_x = 4;", b"4"),
        ("\ufeffconst uint32_t arm_uc_x = 5;".encode(), b"5"),
        ("const uint8_t arm_uc_x[] = {1,\r\n2};\r\n", b"\1\2"),
    ],
)
def test_what_c_allows(text: str | bytes, value: bytes) -> None:
    """Every layout that a compiler takes gives the bytes that it would give."""
    assert parse(text) == {"arm_uc_x": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "const uint8_t arm_uc_x[] = {1, 256};",
            "u.c: arm_uc_x: line 1: has no byte as its number 2; expected a number from 0 to 255",
        ),
        (
            "\nconst uint8_t arm_uc_x[] = {1 2};",
            "u.c: arm_uc_x: line 2: has no comma behind its number 1; expected ','",
        ),
        ("const uint8_t arm_uc_x[] = {1, -2};", "has no byte as its number 2"),
        ("const uint8_t arm_uc_x[] = {1, 0x};", "u.c: arm_uc_x: line 1: no whole number that C knows"),
        ("const uint8_t arm_uc_x[] = {1, 08};", "no whole number"),
        ("const uint8_t arm_uc_x[] = {1.5};", "no whole number"),
        (f"const uint32_t arm_uc_x = {'9' * 5000};", "no whole number"),
        ("const uint8_t arm_uc_x[3] = {1, 2};", "holds 2 bytes; expected the 3 that its brackets state"),
        ("const uint8_t arm_uc_x[1] = {1, 2};", "holds 2 bytes; expected the 1 that"),
        ('const char arm_uc_x[2] = "abc";', "holds 3 bytes"),
        ("const uint8_t arm_uc_x = {1};", "is no array but has braces"),
        ("const uint8_t arm_uc_x[] = 1;", "is an array but has one number"),
        ("const uint8_t arm_uc_x[] = ;", "has no value; expected numbers in braces, a text or a number"),
        ("const uint8_t arm_uc_x[] = {1} + 2;", "goes on behind its braces"),
        ('const char arm_uc_x[] = "a" + 1;', "goes on behind its text"),
        ("const uint32_t arm_uc_x = system;", "has a value of another kind"),
        ("const uint32_t arm_uc_x = (1);", "has a value of another kind"),
        (
            "const uint32_t arm_uc_x = 1; const uint32_t arm_uc_x = 1;",
            "is defined a second time; expected each variable once",
        ),
        ("const uint8_t arm_uc_x[] = {1, 2", "u.c: arm_uc_x: line 1: the file ends within what begins here"),
        ("const uint8_t arm_uc_x[] = {1, 2}", "the file ends within"),
        ("const uint8_t arm_uc_x[] = {1, 2);", "')' closes nothing"),
        ('const char arm_uc_x[] = "abc;\n', "u.c: arm_uc_x: line 1: a text does not end on its line"),
        ("/* const", "u.c: line 1: a comment does not end; expected '*/'"),
        ("const uint8_t arm_uc_x[] = {'ab'};", "more than one character"),
        (r'const char arm_uc_x[] = "\q";', "an escape that C does not know"),
        (r'const char arm_uc_x[] = "\x100";', "an escape that C does not know"),
        ("a \\\n b \\\n 'c\n", "line 3: a text does not end"),
        (b"\xff\xfe", "u.c: is no text"),
        ("x" * (LARGEST + 1), "is too large"),
    ],
)
def test_what_c_does_not_allow(text: str | bytes, message: str) -> None:
    """One message names file, variable and line, and what was expected."""
    with pytest.raises(UsageError) as raised:
        parse(text, "u.c")

    assert message in str(raised.value)


def test_no_message_has_a_value() -> None:
    """A private key that cannot be read is not shown: neither its numbers nor a text."""
    for broken in ("{0xde, 0xad, 0x1be}", '"deadbeef" + 0xde', "{0xde, 0xadz}", '"deadbeef'):
        with pytest.raises(UsageError) as raised:
            parse(f"const uint8_t MBED_CLOUD_DEV_BOOTSTRAP_DEVICE_PRIVATE_KEY[] = {broken};")
        assert not re.search("de|ad|1be", str(raised.value).lower().replace("made", "").partition("line")[2])


def test_nothing_is_executed(tmp_path: Path) -> None:
    """What would be a program elsewhere is a value of no known kind here."""
    mark = tmp_path / "executed"
    for call in (f"__import__('pathlib').Path({str(mark)!r}).touch()", f'system("touch {mark}")'):
        with pytest.raises(UsageError):
            parse(f"const uint8_t arm_uc_x[] = {call};")

    assert not mark.exists()


@given(st.text(max_size=300) | st.text(alphabet="arm_uc_x[]{}=;,\"'\\/*#\n 019axu", max_size=300))
def test_any_text_is_a_dictionary_or_a_usage_error(text: str) -> None:
    """No text has any other effect."""
    try:
        found = parse(text)
    except UsageError:
        return
    assert all(name.startswith(("MBED_CLOUD_DEV_", "arm_uc_")) for name in found)
    assert all(isinstance(value, bytes) for value in found.values())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_dictionary_or_a_usage_error(content: bytes) -> None:
    """No file has any other effect."""
    try:
        parse(content)
    except UsageError:
        return


@given(st.integers(0, len(DEVELOPER)), st.text(max_size=3), st.integers(0, 20))
def test_a_damaged_file_never_gives_other_variables(at: int, put: str, cut: int) -> None:
    """A file cut or scribbled upon is refused or read; nothing that is not in it comes of it."""
    damaged = DEVELOPER[:at] + put + DEVELOPER[at + cut :]
    try:
        found = parse(damaged)
    except UsageError:
        return
    assert all(name in damaged.replace("\\\n", "") for name in found)


NAMES = st.text(alphabet=string.ascii_letters + string.digits + "_", min_size=1, max_size=20).map(
    "arm_uc_".__add__
)


@given(st.dictionaries(NAMES, st.binary(max_size=40) | st.text(max_size=20) | st.integers(0, 2**32 - 1)))
@settings(max_examples=50)
def test_what_is_written_is_read(values: dict[str, bytes | str | int]) -> None:
    """Whatever bytes, text or number a file has comes back."""
    lines, expected = [], {}
    for name, value in values.items():
        if isinstance(value, int):
            lines.append(f"const uint32_t {name} = {value};")
            expected[name] = str(value).encode()
        elif isinstance(value, bytes):
            lines.append(f"const uint8_t {name}[] = {{ {', '.join(hex(byte) for byte in value)} }};")
            expected[name] = value
        else:
            data = value.encode("utf-8", "replace")
            escaped = "".join(f"\\{byte:03o}" for byte in data)
            lines.append(f'const char {name}[] = "{escaped}";')
            expected[name] = data

    assert parse("\n".join(lines)) == expected


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is here")
@pytest.mark.parametrize("version", ["1_5_2", "2_6_2", "developer"])
def test_a_compiler_sees_the_same(version: str, tmp_path: Path) -> None:
    """A real C compiler puts the same bytes into memory."""
    text = DEVELOPER if version == "developer" else (GOLDEN / f"update_{version}.c").read_text()
    found = {name: value for name, value in parse(text).items() if value and "MEMORY" not in name}
    dumps = "".join(
        f'dump("{name}", {name}, {len(value)}, sizeof {name});\n' for name, value in found.items()
    )
    source = f"""
{text}
#include <stdio.h>
static void dump(const char *name, const void *data, size_t size, size_t all) {{
    printf("\\"%s\\": [%zu, \\"", name, all);
    for (size_t at = 0; at < size; at++) printf("%02x", ((const unsigned char *)data)[at]);
    printf("\\"],\\n");
}}
int main(void) {{ {dumps} return 0; }}
"""
    (tmp_path / "it.c").write_text(source)
    defined = [f"-DMBED_CLOUD_DEV_UPDATE_{part}" for part in ("ID", "CERT", "PSK")]
    subprocess.run(["cc", *defined, "-o", "it", "it.c"], cwd=tmp_path, check=True, capture_output=True)
    said = subprocess.run([tmp_path / "it"], check=True, capture_output=True, text=True).stdout
    compiled = json.loads("{" + said.rstrip(",\n") + "}")

    assert {name: bytes.fromhex(data) for name, (_, data) in compiled.items()} == found
    for name, (size, _) in compiled.items():
        text_of_c = found[name].isascii() and name.startswith("MBED")
        assert size == len(found[name]) + text_of_c, name  # a text in C ends with a zero
