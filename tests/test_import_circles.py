"""No import circles: of the modules that run, none needs another that needs it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp


def test_no_two_modules_need_each_other() -> None:
    """Imports for type checkers aside, the modules of core and plugins can be put in one order."""
    graph = grimp.build_graph("harness", "harness_nordic", cache_dir=None, exclude_type_checking_imports=True)
    needed = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    circle: list[str] = []
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        circle = error.args[1]

    assert len(graph.modules) > 100
    assert circle == []
