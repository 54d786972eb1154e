"""What a process tells those who watch it: its metrics, its health, its log."""

import json
import urllib.error
import urllib.request
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from support.processes import Running

Labels = dict[str, str]


class Watched:
    """A process that was started with --metrics-bind and INFO logs."""

    def __init__(self, process: Running) -> None:
        self.process = process
        line = process.wait_for_line("metrics: http://")
        self.address = line.partition("metrics: http://")[2].partition("/metrics")[0]

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of an answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def families(self) -> dict[str, Any]:
        """All families of metrics, by name."""
        return {family.name: family for family in text_string_to_metric_families(self.get("/metrics")[1])}

    def values(self, sample: str, label: str) -> dict[str, float]:
        """The values of a sample, by a label."""
        return {
            one.labels[label]: one.value
            for family in self.families().values()
            for one in family.samples
            if one.name == sample
        }

    def value(self, sample: str, **labels: str) -> float:
        """One value; 0 where there is none."""
        return sum(
            one.value
            for family in self.families().values()
            for one in family.samples
            if one.name == sample and one.labels == labels
        )

    def records(self) -> list[dict[str, Any]]:
        """Its log, where that is JSON."""
        return [json.loads(line) for line in self.process.lines if line.startswith("{")]
