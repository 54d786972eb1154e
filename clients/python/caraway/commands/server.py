"""`caraway info` and `caraway version`."""

import importlib.metadata
import json
import platform
from typing import Any

import click

from caraway.commands.connection import Session, operator_command
from caraway.commands.task_form import instant
from caraway.v1 import admin_service_pb2

__all__ = ["info_command", "server_facts", "version_command"]


def server_facts(session: Session) -> dict[str, Any]:
    """Ask the gateway about itself."""
    response = session.client.ask("GetServerInfo", admin_service_pb2.GetServerInfoRequest())
    durability = admin_service_pb2.GetServerInfoResponse.Durability.Name(response.durability)
    return {
        "target": session.target,
        "server_version": response.server_version,
        "store_version": response.store_version,
        "durability": durability.removeprefix("DURABILITY_"),
        "wait_replicas": response.wait_replicas,
        "failover_loss": response.failover_loss,
        "server_time": instant(response, "server_time"),
        "max_payload_bytes": response.max_payload_bytes,
        "max_message_bytes": response.max_message_bytes,
        "max_batch_size": response.max_batch_size,
        "max_queue_length": response.max_queue_length,
        "default_result_ttl_seconds": response.default_result_ttl.ToSeconds(),
    }


@operator_command("info")
def info_command(session: Session) -> None:
    """Show the gateway's version and limits, and how durable an accepted task is."""
    session.out.facts(server_facts(session))


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def version_command(as_json: bool) -> None:
    """Show the version of this program; `caraway info` shows the gateway's."""
    version = importlib.metadata.version("caraway")
    document = {"caraway": version, "python": platform.python_version(), "grpc": importlib.metadata.version("grpcio")}
    click.echo(json.dumps(document) if as_json else ", ".join(f"{name} {text}" for name, text in document.items()))
