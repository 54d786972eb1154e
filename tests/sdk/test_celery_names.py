"""States and errors by Celery's names: their sets, precedence and bases."""

import builtins
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from caraway import exceptions, states
from caraway.chord_errors import chord_error
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
        ("ChordError", ("TaskError",)),
        ("SecurityError", ()),
        ("Unauthenticated", ("SecurityError",)),
        ("OperationalError", ("BackendError",)),
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


def test_celery_s_warnings_and_ends_have_their_bases() -> None:
    for name in ("AlwaysEagerIgnored", "DuplicateTaskNameWarning", "FixupWarning", "NotConfigured", "SecurityWarning"):
        assert issubclass(getattr(exceptions, name), exceptions.CeleryWarning)
    assert issubclass(exceptions.CeleryWarning, UserWarning)
    assert issubclass(exceptions.CPendingDeprecationWarning, PendingDeprecationWarning)
    assert issubclass(exceptions.WorkerShutdown, SystemExit) and issubclass(exceptions.WorkerTerminate, SystemExit)
    error = exceptions.BackendStoreError("full", state="SUCCESS", task_id="t")
    assert isinstance(error, exceptions.BackendError) and (error.state, error.task_id) == ("SUCCESS", "t")


def test_reraise_has_the_traceback() -> None:
    with pytest.raises(KeyError) as first:
        raise KeyError("x")
    with pytest.raises(KeyError) as raised:
        exceptions.reraise(KeyError, first.value, first.tb)
    assert raised.value is first.value


@pytest.mark.parametrize(
    "error", [ValueError("x", 2), OSError(2, "no", "file"), KeyError("k"), exceptions.RemoteError("a.B", "said")]
)
def test_an_error_of_a_header_is_a_chord_error_too(error: Exception) -> None:
    made = chord_error("id-1", error)
    assert isinstance(made, type(error)) and isinstance(made, exceptions.ChordError)
    assert str(made) == f"Dependency id-1 raised {error!r}"
    assert (made.args, made.__cause__) == (error.args, error)
    assert vars(error).items() <= vars(made).items()
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is exceptions.ChordError and str(again) == str(made)
    assert chord_error("id-2", made) is made


def test_a_class_that_can_t_be_extended_gives_a_plain_chord_error() -> None:
    class Own(Exception):
        def __new__(cls, *args: Any) -> "Own":
            if not args:
                raise TypeError("more")
            return super().__new__(cls, *args)

        def __init__(self, text: str) -> None:
            super().__init__()

    error = Own("text")
    made = chord_error("id-1", error)
    assert type(made) is exceptions.ChordError and made.__cause__ is error


def test_a_retry_says_when() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    whens = (3, timedelta(minutes=1), at, None)
    said = [exceptions.Retry(when=when).humanize() for when in whens]
    assert said == ["in 3s", "in 60s", "at 2030-01-01 00:00:00+00:00", "now"]
