"""Programs that concern the device as a whole: services, name, clock, and the utility that provisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness_pelion.virtual.calling import Call, ProgramFailed
from harness_pelion.virtual.kinds import KERNEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.virtual.calling import Service

REBOOT, POWER_OFF = "reboot", "poweroff"

_UNIT = ".service"
_NOT_ACTIVE, _NO_UNIT, _NO_SUCH_UNIT = 3, 4, 5


def service_manager(call: Call) -> None:
    """Be ``systemctl``, with the operations that concern one service, and those of the whole device."""
    match list(call.arguments):
        case [("reboot" | "poweroff") as what]:
            call.session.then = what
        case [("start" | "stop" | "restart") as what, name]:
            service = _service(call, name)
            if service is None:
                unit = _unit(name)
                raise ProgramFailed(
                    f"Failed to {what} {unit}: Unit {unit} not found.", _NO_SUCH_UNIT, named=False
                )
            if what != "start":
                service.stop()
            if what != "stop":
                service.start()
        case ["is-active", name]:
            service = _service(call, name)
            active = service is not None and service.active
            call.say("active" if active else "inactive")
            call.status = 0 if active else _NOT_ACTIVE
        case ["status", name]:
            _tell_status(call, name)
        case [word, *_rest]:
            raise ProgramFailed(f"Unknown operation {word}.", named=False)
        case _:
            raise ProgramFailed("Too few arguments.", named=False)


def _tell_status(call: Call, name: str) -> None:
    service, unit = _service(call, name), _unit(name)
    if service is None:
        raise ProgramFailed(f"Unit {unit} could not be found.", _NO_UNIT, named=False)
    call.say(f"* {unit} - Mbed Linux OS cloud client")
    call.say(f"   Active: {'active (running)' if service.active else 'inactive (dead)'}")
    call.status = 0 if service.active else _NOT_ACTIVE


def _service(call: Call, name: str) -> Service | None:
    return call.machine.services.get(_unit(name).removesuffix(_UNIT))


def _unit(name: str) -> str:
    return name if name.endswith(_UNIT) else f"{name}{_UNIT}"


def reboot(call: Call) -> None:
    """Be ``reboot``: the device boots as soon as the command has ended."""
    call.options("fn")
    call.session.then = REBOOT


def power_off(call: Call) -> None:
    """Be ``poweroff``: the device goes dark as soon as the command has ended."""
    call.options("fn")
    call.session.then = POWER_OFF


def provision(call: Call) -> None:
    """Be ``pelion-provisioning-util``."""
    run = call.machine.util.run(call.arguments)
    call.write(run.output.encode())
    call.complain_bytes(run.errors.encode())
    call.status = run.status


def date(call: Call) -> None:
    """Be ``date``."""
    _options, operands = call.options("u")
    form = "%a %b %e %H:%M:%S UTC %Y"
    if operands:
        if not operands[0].startswith("+"):
            raise ProgramFailed(f"invalid date '{operands[0]}'")
        form = operands[0][1:]
    call.say(call.machine.clock.now().strftime(form))


def host_name(call: Call) -> None:
    """Be ``hostname``."""
    call.options("fs")
    call.say(call.machine.host_name)


def system_name(call: Call) -> None:
    """Be ``uname``."""
    options, _operands = call.options("asnrvmpio")
    known = {"s": "Linux", "n": call.machine.host_name, "r": f"{KERNEL}-mbl", "m": "armv7l", "o": "GNU/Linux"}
    wanted = known if "a" in options else options or {"s": ""}
    call.say(" ".join(known[letter] for letter in known if letter in wanted))


def user_name(call: Call) -> None:
    """Be ``whoami``."""
    call.say("root")


def identity(call: Call) -> None:
    """Be ``id``."""
    options, _operands = call.options("un")
    call.say("uid=0(root) gid=0(root) groups=0(root)" if not options else "root" if "n" in options else "0")


def synchronise(call: Call) -> None:
    """Be ``sync``: there is nothing that is not written yet."""
    call.options("")


PROGRAMS: dict[str, Callable[[Call], None]] = {
    "date": date,
    "hostname": host_name,
    "id": identity,
    "poweroff": power_off,
    "reboot": reboot,
    "sync": synchronise,
    "systemctl": service_manager,
    "uname": system_name,
    "whoami": user_name,
}
