"""The pipelines that a reader copies: well-formed by what their CIs say of them; tests/farm runs them."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_jsonschema import main as check  # type: ignore[import-untyped]  # it has no annotations
from click.testing import CliRunner

from tests.farm.jenkins import Node, parse

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "ci"


@pytest.mark.parametrize(
    ("file", "schema"), [("github-actions.yml", "github-workflows"), ("gitlab-ci.yml", "gitlab-ci")]
)
def test_pipeline_fits_the_schema_of_its_ci(tmp_path: Path, file: str, schema: str) -> None:
    """What GitHub's and GitLab's published schemas refuse is not shown to readers; they refuse a slip."""
    wrong = tmp_path / file
    wrong.write_text((EXAMPLES / file).read_text().replace("cache", "cash").replace("timeout", "time-out"))

    fits, refused = (
        CliRunner().invoke(check, ["--builtin-schema", f"vendor.{schema}", str(each)])
        for each in (EXAMPLES / file, wrong)
    )

    assert fits.exit_code == 0, fits.output
    assert refused.exit_code == 1, refused.output


def test_jenkinsfile_is_a_declarative_pipeline() -> None:
    """Its blocks are where Jenkins has them, and a failure does not keep results from being kept."""
    pipeline = parse((EXAMPLES / "Jenkinsfile").read_text())

    assert [node.name for node in pipeline.inside] == ["agent", "options", "stages"]
    boards, merge = pipeline.one("stages").all("stage")
    matrix = boards.one("matrix")
    assert [node.name for node in matrix.inside] == ["axes", "agent", "stages", "post"]
    assert [node.name for node in merge.inside] == ["agent", "steps", "post"]
    for post in (matrix.one("post"), merge.one("post")):
        assert [node.name for node in post.inside] == ["always"]
    steps = matrix.one("stages").one("stage").one("steps")
    (guarded,) = steps.one("catchError").inside
    assert "harness run" in guarded.text


@pytest.mark.parametrize(
    "text",
    [
        "pipeline { agent none",
        "pipeline { agent none } }",
        "pipeline { sh('x' }",
        "pipeline { 'sh' }",
        'pipeline { sh "x }',
        "def x = 1",
    ],
)
def test_what_is_no_pipeline_is_refused(text: str) -> None:
    """The reader of pipelines takes no file that Jenkins would not take."""
    with pytest.raises((AssertionError, ValueError)):
        parse(text)


def test_arguments_of_steps_are_read() -> None:
    """Named and unnamed arguments, with and without brackets."""
    pipeline = parse("pipeline { a 'x' // y\n b(c: 'd', e: true) { f \"g\", 'h' } }")

    assert pipeline.inside == [
        Node("a", {"": "x"}),
        Node("b", {"c": "d", "e": "true"}, [Node("f", {"": "g", "1": "h"})]),
    ]
