"""What the store keeps of a spec: the same whether its form is read for the first time or remembered."""

import itertools

import pytest
from google.protobuf import text_format

from caraway.framing import field
from caraway.v1 import task_pb2, worker_service_pb2
from caraway_server.api.new_task import LARGEST_REMEMBERED, new_task
from caraway_server.core.errors import Refused

MOST = 3 << 20

PLAIN = r'task_id: "1" name: "a" payload { json: "{\"args\":[1],\"kwargs\":{}}" }'
# As release 0.1.0 takes them: gateways of both releases may answer the repeats of one submit.
FINGERPRINTS = {
    PLAIN: "294dbec8c6cdf021",
    PLAIN + 'queue: "q" priority: 9 headers { key: "h" value: "v" } args_repr: "(1,)"': "abf9cfa82ff9992c",
    'task_id: "1" name: "a" payload { data: "abc" content_type: "application/x-yaml" content_encodings: "zstd" '
    'plain_sha256: "01234567890123456789012345678901" }': "4ba9de862f312a47",
    'task_id: "1" name: "a" args { values { number_value: 2 } } '
    'kwargs { fields { key: "k" value { string_value: "x" } } }': "23f5fc4e9339f9bb",
    'task_id: "1" name: "a" delay { seconds: 5 } ttl { seconds: 60 } retry_policy { max_attempts: 3 } '
    'time_limits { hard { seconds: 9 } } ack_mode: ACK_MODE_ON_START uniqueness { key: "u" } ignore_result: true '
    "result_ttl { seconds: 7 }": "b7e9aadee207d40b",
}


def spec(text: str) -> task_pb2.TaskSpec:
    return text_format.Parse(text, task_pb2.TaskSpec())


@pytest.mark.parametrize("text", FINGERPRINTS)
def test_fingerprints_are_those_of_earlier_releases(text: str) -> None:
    for _ in ("read", "remembered"):
        assert new_task(spec(text), MOST).fingerprint.hex() == FINGERPRINTS[text]


@pytest.mark.parametrize("text", FINGERPRINTS)
def test_what_is_stored_is_the_spec_without_its_place(text: str) -> None:
    for _ in ("read", "remembered"):
        task = new_task(spec(text), MOST)
        stored = task_pb2.TaskSpec.FromString(task.spec)
        assert not (stored.task_id or stored.name or stored.queue or stored.HasField("priority"))
        stored.task_id, stored.name = task.task_id, task.name
        whole = spec(text)
        for name in ("queue", "priority"):
            whole.ClearField(name)
        assert stored == whole


def test_tasks_of_one_form_keep_their_own_ids_and_arguments() -> None:
    tasks = []
    for number in range(3):
        one = spec(PLAIN)
        one.task_id, one.payload.json = str(number), f'{{"args":[{number}],"kwargs":{{}}}}'
        tasks.append(new_task(one, MOST))
    assert [task.task_id for task in tasks] == ["0", "1", "2"]
    payloads = [task_pb2.TaskSpec.FromString(task.spec).payload.json for task in tasks]
    assert payloads == [f'{{"args":[{number}],"kwargs":{{}}}}' for number in range(3)]
    assert len({task.fingerprint for task in tasks}) == 3


def test_tasks_that_differ_in_one_field_are_told_apart() -> None:
    parts = ['queue: "q"', "priority: 5", "ignore_result: true", "ack_mode: ACK_MODE_ON_FINISH", "delay { seconds: 1 }"]
    several = itertools.chain.from_iterable(itertools.combinations(parts, count) for count in range(len(parts) + 1))
    texts = [" ".join((PLAIN, *some)) for some in several]
    assert len({new_task(spec(text), MOST).fingerprint for text in texts}) == len(texts) == 32


def test_arguments_by_hand_are_held_to_the_limit_of_this_call() -> None:
    text = 'task_id: "1" name: "a" args { values { string_value: "0123456789" } }'
    assert new_task(spec(text), MOST).fingerprint
    with pytest.raises(Refused, match="at most 5 are taken"):
        new_task(spec(text), 5)
    with pytest.raises(Refused, match="excludes args and kwargs"):
        new_task(spec(text + ' payload { json: "[]" }'), MOST)


def test_a_form_that_is_refused_is_refused_each_time() -> None:
    for _ in ("read", "remembered"):
        with pytest.raises(Refused, match="priority"):
            new_task(spec('task_id: "1" name: "a" priority: 10'), MOST)


def test_a_large_form_is_read_as_a_small_one_is() -> None:
    one = spec(PLAIN)
    one.headers["h"] = "x" * LARGEST_REMEMBERED
    assert new_task(one, MOST).fingerprint.hex() == FINGERPRINTS[PLAIN]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 3 << 20])
def test_a_framed_message_is_a_field_of_another(size: int) -> None:
    report = worker_service_pb2.TaskReport(task_id="x" * size)
    joined = field(b"\x0a", report.SerializeToString()) * 2
    assert list(worker_service_pb2.ReportTasksRequest.FromString(joined).reports) == [report, report]
