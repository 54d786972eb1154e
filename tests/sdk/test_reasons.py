"""The table of reasons is the contract's."""

import grpc

from caraway import exceptions
from caraway.reasons import REASONS
from caraway.v1 import errors_pb2

PREFIX = "ERROR_REASON_"


def test_the_table_has_every_reason_of_the_contract_and_no_other() -> None:
    declared = {name.removeprefix(PREFIX) for name in errors_pb2.ErrorReason.DESCRIPTOR.values_by_name} - {
        "UNSPECIFIED"
    }
    assert set(REASONS) == declared


def test_codes_are_grpc_s_and_exceptions_are_caraway_s() -> None:
    for name, reason in REASONS.items():
        assert reason.name == name
        assert hasattr(grpc.StatusCode, reason.code)
        assert reason.exception is None or issubclass(reason.exception, exceptions.CarawayError)


def test_what_passes_is_an_operational_error_and_nothing_else_is() -> None:
    for reason in REASONS.values():
        assert (reason.code == "UNAVAILABLE") == (reason.exception is exceptions.OperationalError)
