"""Exceptions on the wire: what a failure carries, and what is raised again for it."""

import sys
from pathlib import Path
from typing import Any

import pytest

from caraway import exceptions
from caraway.payload import encode
from caraway.v1 import task_pb2
from caraway.wire_error import RemoteTraceback, to_error, to_exception

Kind = task_pb2.TaskError


class OrderError(Exception):
    """An error of a program's own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code


class PickyError(Exception):
    """Wants other arguments than it keeps."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


class Witness:
    """Notes that it was called."""

    called = False

    def __init__(self, *_args: Any) -> None:
        type(self).called = True


def raised(exc: BaseException) -> BaseException:
    try:
        raise exc
    except BaseException as error:
        return error


def test_an_error_carries_type_message_traceback_and_arguments() -> None:
    error = to_error(raised(OrderError(7, "gone")))
    assert error.kind == Kind.KIND_APPLICATION
    assert error.type == f"{OrderError.__module__}.OrderError"
    assert error.message == "(7, 'gone')"
    assert error.language == "python"
    assert "raise exc" in error.traceback
    assert error.detail.json == '[7,"gone"]'


def test_a_known_error_comes_back_as_its_class_with_the_remote_traceback_as_cause() -> None:
    exc = to_exception(to_error(raised(OrderError(7, "gone"))))
    assert type(exc) is OrderError
    assert exc.code == 7
    assert isinstance(exc.__cause__, RemoteTraceback)
    assert "raise exc" in str(exc.__cause__)


@pytest.mark.parametrize("exc", [ValueError("no"), KeyError("k"), FileNotFoundError(2, "no such file"), ValueError()])
def test_builtin_errors_come_back(exc: Exception) -> None:
    again = to_exception(to_error(exc))
    assert (type(again), again.args) == (type(exc), exc.args)


def test_arguments_keep_their_types() -> None:
    again = to_exception(to_error(ValueError((1, 2), b"x", 2**80)))
    assert again.args == ((1, 2), b"x", 2**80)


def test_an_error_that_can_t_be_made_again_is_a_remote_error() -> None:
    exc = to_exception(to_error(raised(PickyError(7, "gone"))))
    assert isinstance(exc, exceptions.RemoteError)
    assert exc.type_name.endswith("PickyError")
    assert exc.message == "7: gone"
    assert "raise exc" in exc.traceback


def test_arguments_that_can_t_be_written_leave_the_message() -> None:
    again = to_exception(to_error(ValueError(object)))
    assert type(again) is ValueError
    assert again.args == (str(object),)


@pytest.mark.parametrize(
    "name",
    [
        f"{Witness.__module__}.Witness",
        "os.system",
        "builtins.eval",
        "builtins.print",
        "subprocess.Popen",
        "builtins.SystemExit",
        "builtins.KeyboardInterrupt",
        "builtins.GeneratorExit",
        "builtins.StopIteration",
        "asyncio.exceptions.CancelledError",
        "module_that_nobody_loaded.Error",
        "builtins.ValueError.__class__",
        "builtins.ValueError.__init__",
        "ValueError",
        ".",
        "",
    ],
)
def test_nothing_but_ordinary_exception_classes_is_called(name: str) -> None:
    error = task_pb2.TaskError(kind=Kind.KIND_APPLICATION, type=name, message="m", detail=encode(["echo hacked"]))
    exc = to_exception(error)
    assert isinstance(exc, exceptions.RemoteError)
    assert exc.type_name == name
    assert not Witness.called


def test_no_module_is_imported_for_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "unloaded_errors.py").write_text("class LostError(Exception): pass")
    monkeypatch.syspath_prepend(tmp_path)
    exc = to_exception(task_pb2.TaskError(kind=Kind.KIND_APPLICATION, type="unloaded_errors.LostError"))
    assert isinstance(exc, exceptions.RemoteError)
    assert "unloaded_errors" not in sys.modules


def test_a_module_s_own_attribute_hook_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    module = type(sys)("hooked_module")
    asked: list[str] = []
    module.__getattr__ = asked.append  # type: ignore[method-assign, assignment]
    monkeypatch.setitem(sys.modules, "hooked_module", module)
    to_exception(task_pb2.TaskError(kind=Kind.KIND_APPLICATION, type="hooked_module.Error"))
    assert asked == []


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.KIND_SOFT_TIME_LIMIT, exceptions.SoftTimeLimitExceeded),
        (Kind.KIND_TIME_LIMIT, exceptions.TimeLimitExceeded),
        (Kind.KIND_WORKER_LOST, exceptions.WorkerLostError),
        (Kind.KIND_LOST_LIMIT, exceptions.LostLimitError),
        (Kind.KIND_REVOKED, exceptions.TaskRevokedError),
        (Kind.KIND_EXPIRED, exceptions.TaskExpiredError),
        (Kind.KIND_REJECTED, exceptions.TaskRejectedError),
        (Kind.KIND_PAYLOAD, exceptions.PayloadError),
        (Kind.KIND_UNKNOWN_TASK, exceptions.NotRegistered),
    ],
)
def test_each_kind_has_its_class(kind: task_pb2.TaskError.Kind.ValueType, expected: type[Exception]) -> None:
    exc = to_exception(task_pb2.TaskError(kind=kind, type="builtins.ValueError", message="why"))
    assert type(exc) is expected
    assert str(exc) == "why"


def test_all_kinds_are_covered() -> None:
    for kind in task_pb2.TaskError.Kind.values():
        assert isinstance(to_exception(task_pb2.TaskError(kind=kind, type="x.Y", message="m")), exceptions.CarawayError)


def test_causes_are_flat_and_end() -> None:
    first: BaseException = ValueError("0")
    for number in range(1, 40):
        following = ValueError(str(number))
        following.__cause__ = first
        first = following
    assert [cause.message for cause in to_error(first).causes] == [str(number) for number in range(38, 22, -1)]
    loop = ValueError("loop")
    loop.__cause__ = KeyError("other")
    loop.__cause__.__cause__ = loop
    assert [cause.type for cause in to_error(loop).causes] == ["builtins.KeyError"]


def test_a_suppressed_context_is_no_cause() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer") from None
    except ValueError as exc:
        assert not to_error(exc).causes


class HostileError(Exception):
    """Can't even be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_whatever_an_error_is_it_can_be_written() -> None:
    assert "RuntimeError" in to_error(raised(HostileError())).message
    assert to_error(ValueError("\ud800")).message == "\\ud800"
    large = to_error(raised(ValueError("ü" * 100_000)))
    assert len(large.message.encode()) <= 32 * 1024
    assert len(large.traceback.encode()) <= 64 * 1024
    assert "... cut ..." in large.traceback
    assert not large.HasField("detail")
