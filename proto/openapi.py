"""Writes the OpenAPI description of what `caraway server --http` serves, from the contract: `make proto`.

Run as: python proto/openapi.py DESCRIPTOR_SET > server/caraway_server/http/openapi.json
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

Field = descriptor_pb2.FieldDescriptorProto
Schema = dict[str, Any]

_SCALARS: dict[int, Schema] = {
    Field.TYPE_DOUBLE: {"type": "number", "format": "double"},
    Field.TYPE_FLOAT: {"type": "number", "format": "float"},
    Field.TYPE_INT32: {"type": "integer", "format": "int32"},
    Field.TYPE_UINT32: {"type": "integer", "format": "int64"},
    Field.TYPE_INT64: {"type": "string", "format": "int64"},
    Field.TYPE_UINT64: {"type": "string", "format": "uint64"},
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BYTES: {"type": "string", "format": "byte"},
}
_WELL_KNOWN: dict[str, Schema] = {
    ".google.protobuf.Duration": {"type": "string", "description": 'Seconds, as in "1.5s".', "example": "1.5s"},
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    ".google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    ".google.protobuf.ListValue": {"type": "array", "items": {}},
    ".google.protobuf.Value": {},
    ".google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "additionalProperties": True,
    },
}


class Contract:
    """All files of the contract, with their comments."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self.messages: dict[str, descriptor_pb2.DescriptorProto] = {}
        self.enums: dict[str, descriptor_pb2.EnumDescriptorProto] = {}
        self.services: list[tuple[str, descriptor_pb2.ServiceDescriptorProto]] = []
        self.comments: dict[str, str] = {}
        for file in files.file:
            self._read(file)

    def _read(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        told = {tuple(place.path): " ".join(place.leading_comments.split()) for place in file.source_code_info.location}
        package = f".{file.package}"
        for index, message in enumerate(file.message_type):
            self._read_message(f"{package}.{message.name}", message, (4, index), told)
        for index, enum in enumerate(file.enum_type):
            self.enums[f"{package}.{enum.name}"] = enum
            self.comments[f"{package}.{enum.name}"] = told.get((5, index), "")
        for index, service in enumerate(file.service):
            self.services.append((file.package, service))
            self.comments[f"{package}.{service.name}"] = told.get((6, index), "")
            for number, method in enumerate(service.method):
                self.comments[f"{package}.{service.name}.{method.name}"] = told.get((6, index, 2, number), "")

    def _read_message(
        self,
        name: str,
        message: descriptor_pb2.DescriptorProto,
        path: tuple[int, ...],
        told: dict[tuple[int, ...], str],
    ) -> None:
        self.messages[name] = message
        self.comments[name] = told.get(path, "")
        for number, field in enumerate(message.field):
            self.comments[f"{name}.{field.name}"] = told.get((*path, 2, number), "")
        for number, inner in enumerate(message.nested_type):
            self._read_message(f"{name}.{inner.name}", inner, (*path, 3, number), told)
        for number, enum in enumerate(message.enum_type):
            self.enums[f"{name}.{enum.name}"] = enum
            self.comments[f"{name}.{enum.name}"] = told.get((*path, 4, number), "")

    def schema_of(self, field: Field) -> Schema:
        """What a field holds, by JSON's names."""
        if field.type == Field.TYPE_MESSAGE:
            message = self.messages.get(field.type_name)
            if message is not None and message.options.map_entry:
                return {"type": "object", "additionalProperties": self.schema_of(message.field[1])}
        one = self._one(field)
        return {"type": "array", "items": one} if field.label == Field.LABEL_REPEATED else one

    def _one(self, field: Field) -> Schema:
        if field.type in (Field.TYPE_MESSAGE, Field.TYPE_ENUM):
            return _WELL_KNOWN.get(field.type_name) or {"$ref": f"#/components/schemas/{field.type_name[1:]}"}
        return _SCALARS[field.type]

    def schemas(self, wanted: Iterator[str]) -> dict[str, Schema]:
        """The messages and enums of these names, and all that they hold."""
        found: dict[str, Schema] = {}
        pending = list(wanted)
        while pending:
            name = pending.pop()
            if name[1:] in found or name in _WELL_KNOWN:
                continue
            if name in self.enums:
                values = [value.name for value in self.enums[name].value]
                found[name[1:]] = _told({"type": "string", "enum": values}, self.comments[name])
                continue
            message = self.messages[name]
            pending += [field.type_name for field in message.field if field.type_name]
            if not message.options.map_entry:
                found[name[1:]] = self._message(name, message)
        return dict(sorted(found.items()))

    def _message(self, name: str, message: descriptor_pb2.DescriptorProto) -> Schema:
        properties = {
            field.json_name: _told(self.schema_of(field), self.comments[f"{name}.{field.name}"])
            for field in message.field
        }
        return _told({"type": "object", "properties": properties}, self.comments[name])


def _told(schema: Schema, comment: str) -> Schema:
    if not comment:
        return schema
    if "$ref" in schema:
        return {"allOf": [schema], "description": comment}
    return {**schema, "description": comment}


def _json(schema: Schema, description: str, kind: str = "application/json") -> Schema:
    return {"description": description, "content": {kind: {"schema": schema}}}


def openapi(contract: Contract) -> Schema:
    """The whole description."""
    paths: dict[str, Schema] = {}
    used = {".google.rpc.Status"}
    status = {"$ref": "#/components/schemas/google.rpc.Status"}
    for package, service in contract.services:
        for method in service.method:
            if method.client_streaming or package != "caraway.v1":
                continue
            used |= {method.input_type, method.output_type}
            answer: Schema = {"$ref": f"#/components/schemas/{method.output_type[1:]}"}
            if method.server_streaming:
                line = {"type": "object", "properties": {"result": answer, "error": status}}
                success = _json(
                    line, "A line for each answer; where the stream fails, a last one.", "application/x-ndjson"
                )
            else:
                success = _json(answer, "The answer.")
            request = {"$ref": f"#/components/schemas/{method.input_type[1:]}"}
            paths[f"/{package}.{service.name}/{method.name}"] = {
                "post": {
                    "operationId": f"{service.name}_{method.name}",
                    "tags": [service.name],
                    "description": contract.comments[f".{package}.{service.name}.{method.name}"],
                    "requestBody": {"content": {"application/json": {"schema": request}}},
                    "responses": {"200": success, "default": _json(status, "The call was refused, or failed.")},
                }
            }
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Caraway",
            "version": "v1",
            "description": "The contract as JSON over HTTP. Numbers of 64 bits are strings; a duration is like 1.5s.",
        },
        "tags": [
            {"name": service.name, "description": contract.comments[f".{package}.{service.name}"]}
            for package, service in contract.services
            if package == "caraway.v1"
        ],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": contract.schemas(iter(sorted(used))),
        },
    }


if __name__ == "__main__":
    files = descriptor_pb2.FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes())
    json.dump(openapi(Contract(files)), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
