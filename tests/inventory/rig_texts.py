"""Rig files as people write them: any order, several styles of TOML, and remarks everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from harness.inventory.rig_writing import FoundBoard

DK = FoundBoard(
    id="000960012345", title="nRF9160 DK", profile="nrf9160dk", usb_serial="000960012345", location="1-1.2"
)
ANSWERING = replace(DK, identity="351358811330139")

# At most one of each; {n} is the board's number, so that no two boards share a port.
_ENDPOINTS = (
    "",
    'endpoints.trace = { url = "/dev/t{n}", baud = 1000000 }',
    'endpoints = { trace = "/dev/t{n}" }',
    'endpoints.trace.url = "/dev/t{n}"',
    "endpoints.console = { rtscts = false }",
    '[board.endpoints]\ntrace = "/dev/t{n}"  {remark}\n{remark}',
    '[board.endpoints.trace]\nurl = "/dev/t{n}"\n\n{remark}',
)
_OTHERS = (
    "",
    "capabilities.remove = [\n  'jwt',  {remark}\n  \"keygen\",\n]",
    'capabilities = { add = ["outdoors"] }  {remark}',
    'properties.shelf = """\nleft # no remark\n[[board]]\n"""',
    "properties = { shelf = 'left # no remark' }",
)
_BELOW = ("", "", '[board.control.relay]\nhost = "192.0.2.11"  {remark}\noutlet = {n}')
_SETTINGS = (
    'name = "left shelf"  {remark}',
    "plugins = []",
    '[leases]\ndirectory = "/run/lock/leases"\n{remark}\n',
)
_BETWEEN = ("", "", "", "\n", "{remark}\n", "\n{remark}\n", "{remark}\n\n", "\n\n  {remark}\n{remark}\n\n")


@dataclass
class RigText:
    """A file, and what is attached to the host.

    :ivar text: what is in the file.
    :ivar remarks: the remarks in it, in their order.
    :ivar found: the boards that are here.
    """

    text: str = ""
    remarks: list[str] = field(default_factory=list)
    found: list[FoundBoard] = field(default_factory=list)

    def add(self, text: str, number: int = 0) -> None:
        """Append something; each of its remarks is unlike all others."""
        text = text.replace("{n}", str(number))
        while "{remark}" in text:
            self.remarks.append(f"# remark {len(self.remarks)}.")
            text = text.replace("{remark}", self.remarks[-1], 1)
        self.text += text


@st.composite
def rig_texts(draw: st.DrawFn) -> RigText:
    """Return a file that loads, and boards that are here: some of its own, moved or not, and others."""
    it = RigText()

    def any_of(*choices: str) -> str:
        return draw(st.sampled_from(choices))

    def settings(count: int) -> None:
        for one in draw(st.permutations(_SETTINGS[:2] if it.text else _SETTINGS))[:count]:
            if "[" not in it.text:
                it.add(any_of(*_BETWEEN) + one + "\n")

    settings(draw(st.integers(0, 2)))
    boards = draw(st.lists(st.integers(1, 99), unique=True, max_size=4))
    for number in boards:
        _add_board(draw, it, number)
    if boards and "[leases]" not in it.text and draw(st.booleans()):
        it.add(any_of(*_BETWEEN) + _SETTINGS[2])
    it.add(any_of(*_BETWEEN))
    for number in draw(st.lists(st.integers(100, 199), unique=True, max_size=3)):
        it.found.append(_found(draw, number, identity=draw(st.booleans())))
    if draw(st.booleans()):
        it.text = it.text.rstrip("\n")
    if draw(st.booleans()):
        it.text = it.text.replace("\n", "\r\n")
    return it


def _add_board(draw: st.DrawFn, it: RigText, number: int) -> None:
    said = {
        "usb_serial": f"{number:04}",
        "id": f"desk-{number}",
        "profile": "nrf9151dk",
        "identity": f"35000{number:04}",
        "location": f"1-{number}",
    }
    said = {key: value for key, value in said.items() if key == "usb_serial" or draw(st.booleans())}
    quote = draw(st.sampled_from(["'", '"']))
    lines = [f"{key} = {quote}{value}{quote}" for key, value in said.items()]
    endpoints, other = draw(st.sampled_from(_ENDPOINTS)), draw(st.sampled_from(_OTHERS))
    lines += [line for line in (endpoints, other) if not line.startswith("[board") and line]
    lines = draw(st.permutations(lines))
    below = [line for line in (endpoints, draw(st.sampled_from(_BELOW))) if line.startswith("[board")]
    it.add(draw(st.sampled_from(_BETWEEN)) + "[[board]]" + draw(st.sampled_from(["", "  {remark}"])) + "\n")
    for line in (*lines, *below):
        end = draw(st.sampled_from(["", "  {remark}"])) if "=" in line and "\n" not in line else ""
        it.add(draw(st.sampled_from(_BETWEEN)) + line + end + "\n", number)
    if draw(st.booleans()):
        it.found.append(_found(draw, number, identity=draw(st.booleans())))


def _found(draw: st.DrawFn, number: int, *, identity: bool) -> FoundBoard:
    return FoundBoard(
        id=f"{number:04}",
        title="nRF9151 DK",
        profile="nrf9151dk",
        usb_serial=f"{number:04}",
        location=draw(st.sampled_from([None, f"1-{number}", f"2-1.{number}"])),
        identity=f"35000{number:04}" if identity else None,
        interfaces=draw(st.sampled_from([{}, {"console": 2}])),
    )
