"""The report as JSON, and the schema that says what is in it."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import date
from functools import lru_cache
from typing import Any

from reports import content

SCHEMA_ID = "narratives-weekly-report-2"
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    Any: {},
}


def render_json(report: content.WeeklyReport) -> str:
    """Everything the report says, as `weekly_schema()` describes it; both languages, two blanks of indent.

    Numbers are rounded to six digits after the point, so that the same desk gives the same bytes.
    """
    body = {"schema": SCHEMA_ID, **typing.cast("dict[str, Any]", as_plain(report))}
    return json.dumps(body, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def as_plain(value: Any) -> Any:
    """Records as dicts, weeks as ISO days, floats rounded and finite (else null).

    >>> as_plain(content.Words("甲", "A")), as_plain(float("nan"))
    ({'zh': '甲', 'en': 'A'}, None)
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): as_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 6) if value == value and abs(value) != float("inf") else None
    return value


@lru_cache(maxsize=1)
def _schema_text() -> str:
    defs: dict[str, Any] = {}
    root = _record(content.WeeklyReport, defs)
    root["properties"] = {"schema": {"const": SCHEMA_ID}, **root["properties"]}
    root["required"] = ["schema", *root["required"]]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Weekly narrative report",
    }
    return json.dumps({**head, **root, "$defs": dict(sorted(defs.items()))}, ensure_ascii=False)


def weekly_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `render_json`, read off the records themselves.

    >>> weekly_schema()["properties"]["label"]
    {'type': 'string'}
    """
    schema: dict[str, Any] = json.loads(_schema_text())
    return schema


def _record(kind: type, defs: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    properties = {f.name: _type(hints[f.name], defs) for f in dataclasses.fields(kind)}
    about = (kind.__doc__ or "").strip().splitlines()[0]
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _type(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    if dataclasses.is_dataclass(hint):
        name = typing.cast(type, hint).__name__
        if name not in defs:
            defs[name] = {}
            defs[name] = _record(typing.cast(type, hint), defs)
        return {"$ref": f"#/$defs/{name}"}
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if a is type(None) else _type(a, defs) for a in args]}
    if origin is tuple and args[-1] is Ellipsis:
        return {"type": "array", "items": _type(args[0], defs)}
    if origin is tuple:
        return {
            "type": "array",
            "prefixItems": [_type(a, defs) for a in args],
            "minItems": len(args),
            "maxItems": len(args),
        }
    if origin is dict:
        return {"type": "object"}
    raise TypeError(f"no schema for {hint!r}: add it to reports/export.py")
