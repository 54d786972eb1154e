"""Every reason of the contract: the table, the proto and the tests that provoke it agree."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from api.wire import Api, refused
from caraway.reasons import REASONS
from caraway.v1 import errors_pb2
from support.gateway import GatewayProcess

TESTS = Path(__file__).parents[1]
PROTO = TESTS.parent / "proto" / "caraway" / "v1" / "errors.proto"

# Where each reason is provoked for real, over the wire.
PROVOKED = {
    "TASK_NOT_FOUND": "api/test_read_task.py::test_an_unknown_task_is_not_found",
    "TASK_ID_CONFLICT": "api/test_submit_task.py::test_an_id_with_another_spec_is_a_conflict",
    "INVALID_FIELD": "api/test_submit_task.py::test_a_refusal_names_the_field",
    "NUMBER_NOT_EXACT": "api/test_submit_task.py::test_a_number_that_may_have_been_rounded_is_refused",
    "MALFORMED_MESSAGE": "api/test_submit_task.py::test_text_that_is_no_utf8_is_a_malformed_message",
    "PAYLOAD_TOO_LARGE": "api/test_submit_task.py::test_arguments_beyond_the_limit_are_refused",
    "BATCH_TOO_LARGE": "api/test_submit_task.py::test_a_batch_has_its_limits",
    "QUEUE_FULL": "api/test_store_faults.py::test_a_full_queue",
    "LEASE_LOST": "api/test_report_tasks.py::test_a_stale_report_is_told_so",
    "BATCH_REJECTED": "api/test_submit_task.py::test_all_or_nothing",
    "STORE_UNAVAILABLE": "api/test_store_faults.py::test_a_store_that_dies_and_comes_back",
    "STORE_READ_ONLY": "api/test_store_faults.py::test_a_read_only_store",
    "STORE_FULL": "api/test_store_faults.py::test_a_full_store_takes_nothing_new_and_can_be_drained",
    "STORE_NOT_CONFIRMED": "api/test_replicas.py::test_what_replicas_do_not_have_is_not_answered",
    "STREAM_PROTOCOL": "api/test_lease_stream.py::test_anything_else_first_breaks_the_protocol",
    "SHUTTING_DOWN": "api/test_many_gateways.py::test_waiting_calls_are_sent_elsewhere_when_their_gateway_leaves",
    "UNIQUE_CONFLICT": "api/test_unique_tasks.py::test_a_second_task_of_a_key_is_refused",
    "QUEUE_NOT_FOUND": "api/test_queues.py::test_an_unknown_queue_is_not_found",
    "WORKER_NOT_FOUND": "api/test_workers.py::test_an_unknown_worker_is_not_found",
    "UNAUTHENTICATED": "api/test_tokens.py::test_every_method_asks_for_a_token",
    "WORKFLOW_NOT_FOUND": "api/test_workflows.py::test_an_unknown_workflow_is_not_found",
    "WORKFLOW_ID_CONFLICT": "api/test_workflows.py::test_the_same_submit_twice_is_one_workflow",
    "INVALID_WORKFLOW": "api/test_workflow_checks.py::test_an_unsound_graph_is_refused_whole",
    "WORKFLOW_NOT_OPEN": "api/test_workflows.py::test_a_part_out_of_order_is_refused",
    "WORKFLOW_PART_MISSING": "api/test_workflows.py::test_a_part_out_of_order_is_refused",
    "WORKFLOW_NOT_RETRYABLE": "api/test_workflows.py::test_a_producer_that_gives_up_ends_its_workflow",
    "WORKFLOW_FULL": "api/test_workflow_checks.py::test_a_workflow_has_its_limit",
    "INTERNAL": "api/test_reasons.py::test_a_fault_of_the_gateways_own_is_internal",
}


def declared() -> dict[str, str]:
    """The reasons of the proto, with the status code that the comment above each begins with."""
    pattern = r"^  // ([A-Z_]+): [^\n]*\n(?:  //[^\n]*\n)*  ERROR_REASON_(\w+) = "
    return {reason: code for code, reason in re.findall(pattern, PROTO.read_text(), re.M)}


def test_the_table_is_the_contracts() -> None:
    names = {name.removeprefix("ERROR_REASON_") for name, number in errors_pb2.ErrorReason.items() if number}
    assert set(REASONS) == names
    assert {name: reason.code for name, reason in REASONS.items()} == declared()
    assert all(reason.name == name for name, reason in REASONS.items())


def test_every_reason_is_provoked_by_a_test() -> None:
    assert set(PROVOKED) == set(REASONS)


@pytest.mark.parametrize("reason", PROVOKED)
def test_the_provoking_test_exists_and_names_its_reason(reason: str) -> None:
    path, _, name = PROVOKED[reason].partition("::")
    source = (TESTS / path).read_text()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    found = [node for node in functions if node.name == name]
    assert len(found) == 1
    assert f'"{reason}"' in (ast.get_source_segment(source, found[0]) or "")


def test_a_fault_of_the_gateways_own_is_internal(
    gateway: GatewayProcess, connect: Callable[[str], Api], queue: str
) -> None:
    api = connect(gateway.target)
    task_id = api.submit_id(queue)
    with redis.Redis.from_url(gateway.redis_url) as store:
        store.hset(f"caraway:{{0}}:task:{task_id}", "t", b"\xff\xff no spec")
    refusal = refused(lambda: api.get(task_id))
    assert (refusal.reason, refusal.metadata) == ("INTERNAL", {})
    assert "log" in refusal.message
    api.revoke(task_id)
