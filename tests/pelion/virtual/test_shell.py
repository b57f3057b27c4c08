"""The device's programs: what they do, what they say, how they end."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from harness.virtual.power_points import PowerLost
from tests.pelion.virtual.material import DIRECTORY, material
from tests.pelion.virtual.shell_bench import HOST_NAME

if TYPE_CHECKING:
    from tests.pelion.virtual.shell_bench import ShellBench

UTIL = "/opt/arm/pelion-provisioning-util"


@pytest.mark.parametrize(
    ("line", "status", "output", "errors"),
    [
        ("", 0, "", ""),
        ("nonsense", 127, "", "sh: nonsense: not found\n"),
        ("/opt/nonsense a", 127, "", "sh: /opt/nonsense: not found\n"),
        ("/etc", 126, "", "sh: /etc: Permission denied\n"),
        ("pelion-provisioning-util --help", 127, "", "sh: pelion-provisioning-util: not found\n"),
        ("true", 0, "", ""),
        ("false", 1, "", ""),
        ("exit 3; echo no", 3, "", ""),
        ("echo -n a  b 'c  d'", 0, "a b c  d", ""),
        ("false || echo b && echo c", 0, "b\nc\n", ""),
        ("cd /scratch && pwd", 0, "/scratch\n", ""),
        ("cd /nowhere", 2, "", "sh: cd: can't cd to /nowhere: No such file or directory\n"),
        ("echo $? ~ $HOME ${USER}x $NOTHING.", 0, "0 /home/root /home/root rootx .\n", ""),
        ("export A=b; echo $A", 0, "b\n", ""),
        ("nonsense 2>/dev/null; echo $?", 0, "127\n", ""),
        ("nonsense 2>&1 | cat", 0, "sh: nonsense: not found\n", ""),
        ("echo a > /nowhere/x", 1, "", "sh: can't create /nowhere/x: No such file or directory\n"),
        ("cat < /nowhere", 1, "", "sh: can't open /nowhere: no such file\n"),
        ("hostname", 0, f"{HOST_NAME}\n", ""),
        ("uname", 0, "Linux\n", ""),
        ("uname -n -r", 0, f"{HOST_NAME} 4.14.112-mbl\n", ""),
        ("whoami; id -u", 0, "root\n0\n", ""),
        ("rm", 1, "", "rm: missing operand\n"),
        ("rm -f", 0, "", ""),
        ("rm -q x", 1, "", "rm: invalid option -- 'q'\n"),
        ("rm --all x", 1, "", "rm: unrecognized option '--all'\n"),
        ("rm /nowhere", 1, "", "rm: can't remove '/nowhere': No such file or directory\n"),
        ("rm /etc", 1, "", "rm: '/etc' is a directory\n"),
        ("rm -rf /scratch", 1, "", "rm: can't remove '/scratch': Device or resource busy\n"),
        ("rm -f /nowhere -r", 0, "", ""),
        ("mkdir /etc", 1, "", "mkdir: can't create directory '/etc': File exists\n"),
        ("mkdir /a/b", 1, "", "mkdir: can't create directory '/a/b': No such file or directory\n"),
        ("mkdir -m 9 /a", 1, "", "mkdir: invalid mode '9'\n"),
        ("mkdir -m", 1, "", "mkdir: option requires an argument -- 'm'\n"),
        ("rmdir /config", 1, "", "rmdir: '/config': Directory not empty\n"),
        ("mv a", 1, "", "mv: too few operands\n"),
        ("mv /a /b", 1, "", "mv: can't rename '/a': No such file or directory\n"),
        ("mv /a /b /c", 1, "", "mv: target '/c' is not a directory\n"),
        ("cp /a /b", 1, "", "cp: can't stat '/a': No such file or directory\n"),
        ("cp /etc /b", 1, "", "cp: omitting directory '/etc'\n"),
        ("cp -r /config /config/x", 1, "", "cp: recursion detected, omitting directory '/config'\n"),
        ("cat /a", 1, "", "cat: can't open '/a': No such file or directory\n"),
        ("cat /etc", 1, "", "cat: read error: Is a directory\n"),
        ("ls /a", 1, "", "ls: /a: No such file or directory\n"),
        ("ls -d /etc", 0, "/etc\n", ""),
        ("ls -a /scratch", 0, ".\n..\n", ""),
        ("stat /a", 1, "", "stat: can't stat '/a': No such file or directory\n"),
        ("stat -c '%a %F %s %n%%' /scratch", 0, "755 directory 0 /scratch%%\n", ""),
        ("sha256sum /a", 1, "", "sha256sum: can't open '/a': No such file or directory\n"),
        ("find /a", 1, "", "find: /a: No such file or directory\n"),
        ("find /config -type x", 1, "", "find: invalid argument 'x' to '-type'\n"),
        ("find /config -exec rm", 1, "", "find: unrecognized: -exec\n"),
        ("find /config -name p* -type d", 0, "/config/user/pal\n", ""),
        ("find /config -maxdepth 1", 0, "/config\n/config/user\n", ""),
        ("df /nowhere", 1, "Filesystem           1K-blocks      Used Available Use% Mounted on\n", None),
        ("date +%Y-x", 0, None, ""),
        ("date 2020", 1, "", "date: invalid date '2020'\n"),
        ("chmod 7 /a", 1, "", "chmod: /a: No such file or directory\n"),
        ("[ a = a ]", 0, "", ""),
        ("[ a = a", 2, "", "[: missing ]\n"),
        ("scp -x", 127, "", "sh: scp: not found\n"),
        ("scp -t /scratch; true", 0, "", "sh: scp: not found\n"),
        ("systemctl", 1, "", "Too few arguments.\n"),
        ("systemctl dance x", 1, "", "Unknown operation dance.\n"),
        ("systemctl restart x", 5, "", "Failed to restart x.service: Unit x.service not found.\n"),
        ("systemctl status x", 4, "", "Unit x.service could not be found.\n"),
        ("systemctl is-active x", 3, "inactive\n", ""),
    ],
)
def test_line(bench: ShellBench, line: str, status: int, output: str | None, errors: str | None) -> None:
    """A line, its exit code and what it writes."""
    ended = bench.sh(line)
    assert ended[0] == status
    assert output is None or ended[1] == output
    assert errors is None or ended[2] == errors


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("-e /etc", 0),
        ("-e /a", 1),
        ("-d /etc", 0),
        ("-d /mnt/f", 1),
        ("-f /mnt/f", 0),
        ("-f /etc", 1),
        ("-s /mnt/f", 0),
        ("-s /mnt/empty", 1),
        ("-x /mnt/f", 1),
        ("-r /mnt/f", 0),
        ("! -e /a", 0),
        ("! a", 1),
        ("a", 0),
        ("''", 1),
        ("", 1),
        ("-n a", 0),
        ("-z a", 1),
        ("a != b", 0),
        ("2 -lt 10", 0),
        ("2 -ge 10", 1),
        ("x -eq 1", 2),
        ("-q /a", 2),
        ("a b c d e", 2),
    ],
)
def test_conditions(bench: ShellBench, question: str, answer: int) -> None:
    """``test`` and ``[`` answer by their exit code."""
    bench.filesystem.write("/mnt/f", b"x")
    bench.filesystem.write("/mnt/empty", b"")
    assert bench.sh(f"test {question}")[0] == answer
    assert bench.sh(f"[ {question} ]")[0] == answer


def test_files(bench: ShellBench) -> None:
    """Files are made, moved, copied and removed as asked."""
    assert bench.sh("mkdir -p /scratch/a/b/c && echo one > /scratch/a/x && echo two >> /scratch/a/x") == (
        0,
        "",
        "",
    )
    assert bench.filesystem.read("/scratch/a/x") == b"one\ntwo\n"
    assert bench.sh("cp -r /scratch/a /mnt/a; mv /scratch/a/* /scratch; rmdir /scratch/a")[0] == 0
    assert bench.paths("/scratch") == ["/scratch/b", "/scratch/b/c", "/scratch/x"]
    assert bench.paths("/mnt") == ["/mnt/a", "/mnt/a/b", "/mnt/a/b/c", "/mnt/a/x"]
    assert bench.sh("mv /scratch/x /mnt/y; mv /mnt/a/b /scratch/b2; chmod 600 /mnt/y; touch /mnt/z")[0] == 0
    assert bench.paths("/scratch") == ["/scratch/b", "/scratch/b/c", "/scratch/b2", "/scratch/b2/c"]
    assert bench.sh("ls -l /mnt/y")[1].startswith("-rw-------    1 root     root             8 ")
    assert bench.sh("rm -r /scratch/*; ls /scratch; ls /mnt /mnt/a") == (
        0,
        "/mnt:\na\ny\nz\n\n/mnt/a:\nx\n",
        "",
    )
    digest = hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert bench.sh("cat /mnt/y /mnt/z | sha256sum")[1] == f"{digest}  -\n"


def test_input(bench: ShellBench) -> None:
    """What the caller sends is read by who reads it."""
    ended = bench.shell.run("cat > /scratch/x; cat - < /scratch/x", b"\x00\xff")
    assert (ended.status, ended.output) == (0, b"\x00\xff")
    assert bench.filesystem.read("/scratch/x") == b"\x00\xff"


def test_full_and_read_only(bench: ShellBench) -> None:
    """Programs say why they cannot write."""
    bench.filesystem.mounts["/scratch"].left = 0
    assert (
        bench.sh("mkdir /scratch/a")[2]
        == "mkdir: can't create directory '/scratch/a': No space left on device\n"
    )
    assert bench.sh("echo a > /scratch/a") == (1, "", "sh: write error: No space left on device\n")
    bench.filesystem.end_faults()
    bench.filesystem.mounts["/scratch"].read_only = True
    assert bench.sh("rm -rf /scratch/a")[2] == "rm: can't remove '/scratch/a': Read-only file system\n"
    assert bench.sh("echo b > /scratch/b")[2] == "sh: can't create /scratch/b: Read-only file system\n"
    assert bench.sh("mv /scratch/a /scratch/b")[2] == "mv: can't rename '/scratch/a': Read-only file system\n"


def test_room(bench: ShellBench) -> None:
    """``df`` says how much room there is."""
    bench.filesystem.write("/scratch/x", bytes(512 * 1024))
    told = bench.sh("df /scratch/x")[1].splitlines()
    assert told[1].split() == ["tmpfs", "1024", "512", "512", "50%", "/scratch"]
    assert len(bench.sh("df")[1].splitlines()) == 5


def test_service(bench: ShellBench) -> None:
    """The cloud client is looked after by ``systemctl``."""
    assert bench.sh("systemctl is-active mbl-cloud-client") == (3, "inactive\n", "")
    assert bench.sh("systemctl restart mbl-cloud-client.service") == (0, "", "")
    assert bench.sh("systemctl is-active mbl-cloud-client") == (0, "active\n", "")
    assert bench.sh("systemctl status mbl-cloud-client")[1].endswith("Active: active (running)\n")
    assert bench.sh("systemctl stop mbl-cloud-client; systemctl status mbl-cloud-client")[0] == 3
    assert bench.service.starts == 1


def test_going_down(bench: ShellBench) -> None:
    """Nothing runs behind a reboot; the shell says what the device is to do."""
    for line, then in (
        ("reboot; mkdir /mnt/x", "reboot"),
        ("poweroff", "poweroff"),
        ("systemctl reboot", "reboot"),
    ):
        bench.shell.session.then = ""
        ended = bench.shell.run(line)
        assert (ended.status, ended.then) == (0, then)
    assert bench.paths("/mnt") == []


def test_util_by_its_path(bench: ShellBench) -> None:
    """The utility is run by its path, from anywhere."""
    bench.bring(material())
    assert bench.sh(f"{UTIL} --provision && rm -rf {DIRECTORY} && {UTIL} --get-pelion-status")[0] == 0
    assert bench.sh("cd /opt/arm; ./pelion-provisioning-util --nonsense")[0] == 2
    assert bench.sh("cd /opt/arm; ../../usr/bin/whoami")[1] == "root\n"


def test_time(bench: ShellBench) -> None:
    """``date`` tells the device's own time."""
    bench.clock.offset = 400 * 24 * 3600.0
    year = bench.clock.now().year
    assert bench.sh("date +%Y")[1] == f"{year}\n"
    assert bench.sh("date -u")[1].endswith(f" UTC {year}\n")


def test_points(bench: ShellBench) -> None:
    """Each program passes a point before and after; a cut before it leaves it undone."""
    bench.sh("true; mkdir /mnt/a")
    assert bench.points.passed() == [
        ("before command", "true"),
        ("after command", "true"),
        ("before command", "mkdir"),
        ("before write", "mkdir /mnt/a"),
        ("after write", "mkdir /mnt/a"),
        ("after command", "mkdir"),
    ]
    bench.points.arm("before command", 1, comes_back=False)
    with pytest.raises(PowerLost):
        bench.sh("mkdir /mnt/b")
    assert bench.paths("/mnt") == ["/mnt/a"]
