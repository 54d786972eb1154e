"""States and errors by Celery's names: their sets, precedence and bases."""

import builtins
from datetime import UTC, datetime, timedelta

import pytest

from caraway import exceptions, states
from caraway.states import FAILURE, PENDING, RETRY, REVOKED, STARTED, SUCCESS, state


def test_states_compare_by_precedence() -> None:
    order = [
        state(name) for name in (SUCCESS, FAILURE, "PROGRESS", REVOKED, STARTED, "RECEIVED", "REJECTED", RETRY, PENDING)
    ]
    assert sorted(order) == order[::-1]
    assert state("PROGRESS") > state(STARTED)
    assert not state("PROGRESS") > state(SUCCESS)
    assert (state(PENDING) < SUCCESS, state(PENDING) <= PENDING, state(SUCCESS) >= FAILURE) == (True, True, True)
    assert state(SUCCESS) == "SUCCESS"
    assert states.precedence("PROGRESS") == states.precedence("ANYTHING") == 2
    assert {state(SUCCESS): 1}["SUCCESS"] == 1


def test_states_make_sets_of_which_none_is_missing() -> None:
    assert states.READY_STATES | states.UNREADY_STATES == states.ALL_STATES
    assert not states.READY_STATES & states.UNREADY_STATES
    assert states.PROPAGATE_STATES <= states.EXCEPTION_STATES
    assert states.PROPAGATE_STATES <= states.READY_STATES
    celery = {"SUCCESS", "FAILURE", "REVOKED"}
    # Two that are final here, and with Celery only told in events, or never.
    assert celery | {"REJECTED", "IGNORED"} == states.READY_STATES


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("AlreadyRegistered", ("TaskError", "ImproperlyConfigured")),
        ("IncompleteStream", ("TaskError",)),
        ("InvalidTaskError", ("TaskError",)),
        ("MaxRetriesExceededError", ("TaskError",)),
        ("NotRegistered", ("TaskError", KeyError)),
        ("QueueNotFound", ("TaskError", KeyError)),
        ("TaskRevokedError", ("TaskError",)),
        ("TimeoutError", ("TaskError", builtins.TimeoutError)),
        ("Ignore", ("TaskPredicate",)),
        ("Reject", ("TaskPredicate",)),
        ("Retry", ("TaskPredicate",)),
    ],
)
def test_errors_are_caught_by_celery_s_bases(name: str, bases: tuple[str | type, ...]) -> None:
    error = getattr(exceptions, name)
    for base in ("CeleryError", *bases):
        assert issubclass(error, getattr(exceptions, base) if isinstance(base, str) else base)


def test_errors_that_are_key_errors_show_their_text() -> None:
    assert str(exceptions.QueueNotFound("no queue x")) == "no queue x"
    assert str(exceptions.NotRegistered("no task x")) == "no task x"


def test_a_retry_says_when() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    whens = (3, timedelta(minutes=1), at, None)
    said = [exceptions.Retry(when=when).humanize() for when in whens]
    assert said == ["in 3s", "in 60s", "at 2030-01-01 00:00:00+00:00", "now"]
