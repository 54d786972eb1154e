"""Every case of cases/*.yaml, and every value of vectors/payload.json, in every language."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.conftest import TOLD
from conformance.languages import PYTHON, THERE, VARIANTS
from conformance.play import Play
from conformance.stage import CLIENT, WORKER, Cast, Stage

# The first case of a language builds its program; what a case itself waits for has limits of its own.
pytestmark = pytest.mark.timeout(900)

Case = dict[str, Any]

CASES: list[Case] = [
    {"file": path.stem, **case}
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]
VECTORS = json.loads((Path(__file__).parent / "vectors/payload.json").read_text())
CASES += [
    {
        "file": "vectors",
        "name": value["name"],
        "roles": [CLIENT, WORKER],
        "across": True,
        "steps": [
            {"run": {"name": "echo", "args": f"[{value['json']}]"}, "expect": {"result": json.loads(value["json"])}}
        ],
    }
    for value in VECTORS["values"]
]
KNOWN = {"file", "name", "roles", "across", "gateway", "worker", "every", "proxy", "ids", "steps"}


def casts(case: Case) -> Iterator[tuple[str, Cast]]:
    """Who plays a case, and the column of the table. Python plays both roles at once: it is the other side anyway."""
    yield PYTHON.name, Cast(PYTHON, PYTHON)
    others = [language for language in THERE if language is not PYTHON]
    for language in others:
        if CLIENT in case["roles"]:
            yield f"{language.name} client", Cast(language, PYTHON)
        for each in (language, *(variant for variant in VARIANTS if variant.name == language.name)):
            if WORKER in case["roles"]:
                yield f"{each.column} worker", Cast(PYTHON, each)
    if case.get("across"):
        for client, worker in zip(others, others[1:] + others[:1], strict=True):
            if client is not worker:
                yield f"{client.name}+{worker.name}", Cast(client, worker)


PLAYED = [(case, column, cast) for case in CASES for column, cast in casts(case)]


@pytest.mark.parametrize(
    ("case", "column", "cast"), PLAYED, ids=[f"{case['file']}: {case['name']}-{column}" for case, column, _ in PLAYED]
)
def test_case(case: Case, column: str, cast: Cast, stage: Stage, record_property: Any) -> None:
    record_property(TOLD, (f"{case['file']}: {case['name']}", column))
    Play(case, cast, stage).run()


def test_the_cases_are_well_formed() -> None:
    names = [(case["file"], case["name"]) for case in CASES]
    assert len(names) == len(set(names))
    for case in CASES:
        assert case.keys() <= KNOWN, case["name"]
        assert set(case["roles"]) <= {CLIENT, WORKER} and case["roles"], case["name"]
        assert case["steps"], case["name"]
