"""What the suite lets pass: nothing but what a case expects."""

from typing import Any

import pytest

from conformance.languages import PYTHON
from conformance.matching import MismatchError, check
from conformance.play import Play
from conformance.stage import Cast, Stage
from conformance.wording import Names, members_of


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"state": "FAILED"}, {"state": "SUCCEEDED"}),
        ({"state": "FAILED"}, {}),
        ({"attempt": 1}, {"attempt": True}),
        ({"result": 2}, {"result": "2.0"}),
        ({"result": 2.0}, {"result": "2"}),
        ({"result": {"a": 1}}, {"result": '{"a":1,"b":2}'}),
        ({"result": [1]}, {"result": "[1,2]"}),
        ({"result": None}, {}),
        ({"result": "<none>"}, {"result": "null"}),
        ({"result": 9007199254740993}, {"result": "9007199254740992"}),
        ({"error": "<none>"}, {"error": {"kind": "PAYLOAD"}}),
        ({"error": {"message": "/bent/"}}, {"error": {"message": "straight"}}),
        ({"task_id": "<any>"}, {"task_id": None}),
        ({"tasks": [{}]}, {"tasks": []}),
    ],
)
def test_what_differs_is_refused(expected: Any, got: Any) -> None:
    with pytest.raises(MismatchError):
        check(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"state": "FAILED"}, {"state": "FAILED", "more": 1}),
        ({"result": {"a": 1, "b": [2.5, None]}}, {"result": '{ "b": [2.5, null], "a": 1 }'}),
        ({"result": {"fence": "<any>", "attempt": 1}}, {"result": '{"attempt":1,"fence":7}'}),
        ({"result": None}, {"result": "null"}),
        ({"result": "<none>"}, {}),
        ({"error": {"message": "/no .* left/"}}, {"error": {"message": "no screws left"}}),
    ],
)
def test_what_fits_passes(expected: Any, got: Any) -> None:
    check(expected, got)


def test_values_travel_as_payload_text() -> None:
    made = members_of(
        "submit", {"name": "echo", "args": [9007199254740993, 2.0, {"$caraway": "set", "value": []}]}, "q"
    )
    assert made["task"]["args"] == '[9007199254740993,2.0,{"$caraway":"set","value":[]}]'
    assert made["task"]["queue"] == "q"


def test_a_name_that_nothing_has_is_the_case_s_fault() -> None:
    names = Names()
    names["sum"] = "42"
    assert names.put_into({"task_id": "<sum>", "kept": ["<any>"]}) == {"task_id": "42", "kept": ["<any>"]}
    with pytest.raises(AssertionError, match="nothing has named"):
        names.put_into("<other>")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"run": {"name": "add", "args": [2, 3]}, "expect": {"result": 6}}, "step 1.*expected 6, got 5"),
        ({"run": {"name": "add", "args": [2, 3]}, "fails": {"code": "TIMEOUT"}}, "step 1.*succeeded with"),
        ({"result": {"task_id": "nobody"}}, "step 1.*TASK_NOT_FOUND"),
    ],
)
def test_a_wrong_answer_fails_its_case(stage: Stage, step: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        Play({"name": "wrong", "steps": [step]}, Cast(PYTHON, PYTHON), stage).run()
