"""A declarative pipeline of Jenkins run on this machine, as far as its steps are those that we know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.farm.ci_hosts import Host, at_once, copy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TOKEN = re.compile(
    r"//[^\n]*|'''(?P<long>.*?)'''|'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\n]*)\"|(?P<word>\w+)|(?P<sign>[{}(),:])|\s+",
    re.DOTALL,
)
_SH = ("sh", "-xe", "-c")


@dataclass
class Node:
    """A block or a step: its name, its arguments, and what is inside its braces."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    inside: list[Node] = field(default_factory=list)

    def all(self, name: str) -> list[Node]:
        """Return the blocks and steps of a name that are directly inside."""
        return [node for node in self.inside if node.name == name]

    def one(self, name: str) -> Node:
        """Return the block of a name that is directly inside."""
        (node,) = self.all(name)
        return node

    @property
    def text(self) -> str:
        """Its argument without a name."""
        return self.arguments[""]


def parse(text: str) -> Node:
    """Parse a pipeline; anything that is not blocks and steps with constant arguments is refused."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        assert found is not None, f"not understood: {text[position : position + 40]!r}"
        position = found.end()
        if found.lastgroup is not None:
            kind = "text" if found.lastgroup in {"long", "single", "double"} else found.lastgroup
            tokens.append((kind, found[found.lastgroup]))
    root = Node("")
    assert _parse_block(tokens, 0, root) == len(tokens), "a brace too many"
    return root.one("pipeline")


def _parse_block(tokens: list[tuple[str, str]], at: int, block: Node) -> int:
    while at < len(tokens) and tokens[at] != ("sign", "}"):
        kind, name = tokens[at]
        assert kind == "word", f"{name!r} where a step begins"
        node = Node(name)
        at = _parse_arguments(tokens, at + 1, node)
        if at < len(tokens) and tokens[at] == ("sign", "{"):
            at = _parse_block(tokens, at + 1, node)
            assert at < len(tokens), f"the block {name} does not end"
            at += 1
        block.inside.append(node)
    return at


def _parse_arguments(tokens: list[tuple[str, str]], at: int, node: Node) -> int:
    key = ""
    brackets = at < len(tokens) and tokens[at] == ("sign", "(")
    at += brackets
    while at < len(tokens):
        kind, text = tokens[at]
        if kind == "word" and tokens[at + 1 : at + 2] == [("sign", ":")]:
            key, at = text, at + 2
        elif (
            kind == "text"
            or (kind == "word" and key and key not in node.arguments)
            or (kind == "word" and text in {"none", "any"})
        ):
            node.arguments[key if key not in node.arguments else str(len(node.arguments))] = text
            at += 1
        elif (kind, text) == ("sign", ","):
            key, at = "", at + 1
        elif brackets and (kind, text) == ("sign", ")"):
            return at + 1
        else:
            break
    assert not brackets, f"the arguments of {node.name} do not end"
    return at


@dataclass(kw_only=True)
class Jenkins:
    """One build, and what is behind its agents: stashes and what is archived.

    :ivar good: whether nothing failed.
    :ivar hosts: the agents by their label; an agent keeps its workspace from build to build.
    :ivar variables: what else is in the environment of each step.
    """

    directory: Path
    good: bool = True
    variables: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)

    def run(self, file: Path) -> None:
        """Run a pipeline."""
        pipeline = parse(file.read_text(encoding="utf-8"))
        assert pipeline.one("agent").text == "none"
        for stage in pipeline.one("stages").all("stage"):
            matrices = stage.all("matrix")
            if not self.good and not matrices and not self._goes_on:
                break
            if matrices:
                axis = matrices[0].one("axes").one("axis")
                name, values = axis.one("name").text, axis.one("values").arguments.values()
                at_once([self._cell(matrices[0], {name: value}) for value in values])
            else:
                self._stage(stage, {})()

    #: A failed step ends the pipeline, unless it was caught.
    _goes_on: bool = True

    def _cell(self, matrix: Node, variables: dict[str, str]) -> Callable[[], bool]:
        (stage,) = matrix.one("stages").all("stage")
        merged = Node("stage", inside=[*stage.inside, *matrix.all("agent"), *matrix.all("post")])
        return self._stage(merged, variables)

    def _stage(self, stage: Node, variables: dict[str, str]) -> Callable[[], bool]:
        label = _filled(stage.one("agent").one("label").text, variables)
        if label not in self.hosts:
            self.hosts[label] = Host(directory=self.directory / label)
        host = self.hosts[label]

        def run() -> bool:
            done = self._steps(stage.one("steps").inside, host, variables)
            if not done:
                self.good = self._goes_on = False
            assert self._steps(stage.one("post").one("always").inside, host, variables)
            return done

        return run

    def _steps(self, steps: list[Node], host: Host, variables: dict[str, str]) -> bool:
        for step in steps:
            if step.name == "sh":
                if not host.run(_SH, step.text, {"CI": "true", **self.variables, **variables}):
                    return False
                continue
            told = {key: _filled(text, variables) for key, text in step.arguments.items()}
            if step.name == "catchError":
                assert step.arguments == {"buildResult": "FAILURE", "stageResult": "FAILURE"}
                if not self._steps(step.inside, host, variables):
                    self.good = False
            elif step.name == "junit":
                assert (host.workspace / told["testResults"]).is_file() or told["allowEmptyResults"] == "true"
            elif step.name == "stash":
                self._keep(host.workspace, self.directory / "stashes" / told["name"], told["includes"])
            elif step.name == "unstash":
                copy(self.directory / "stashes" / told[""], host.workspace)
            else:
                assert step.name == "archiveArtifacts"
                self._keep(host.workspace, self.directory / "archive", told["artifacts"])
        return True

    @staticmethod
    def _keep(workspace: Path, target: Path, pattern: str) -> None:
        place = pattern.removesuffix("/**")
        assert place != pattern
        copy(workspace / place, target / place)


def _filled(text: str, variables: dict[str, str]) -> str:
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", value)
    assert "$" not in text, text
    return text
