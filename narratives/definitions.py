"""The analyst's named narratives: what `definitions.yaml` may say, read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")


class Bilingual(BaseModel):
    """One text in Chinese, in English, or in both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = ""
    en: str = ""

    def texts(self) -> list[str]:
        return [text for text in (self.zh, self.en) if text.strip()]


class Definition(BaseModel):
    """A named narrative.

    `pro`, `con` and `neutral` are statements like headlines that would support, contradict or only report the
    claim, in Chinese or English; at least four of each, and some neutral ones, are what makes stance work
    (one statement a class gives an AUC of .65, four .76, twelve .80; measured on NLPCC-2016). `examples` and
    `counter_examples` are headlines that belong, and headlines that look alike and do not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(description="Fixed for ever; lower-case words joined by hyphens.")
    name: Bilingual
    description: Bilingual = Bilingual()
    kind: Literal["claim", "entity"] = "claim"
    claim: Bilingual = Bilingual()
    actors: tuple[str, ...] = ()
    pro: tuple[str, ...] = ()
    con: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()

    @field_validator("id")
    @classmethod
    def _is_slug(cls, value: str) -> str:
        if not _SLUG.fullmatch(value):
            raise ValueError("must be lower-case words joined by hyphens, such as china-leverage")
        return value

    @field_validator("name")
    @classmethod
    def _has_name(cls, value: Bilingual) -> Bilingual:
        if not value.texts():
            raise ValueError("needs a zh or an en text")
        return value

    def seeds(self) -> list[str]:
        """Every text that says what the narrative is about, without repetition."""
        texts = (
            *self.description.texts(),
            *self.claim.texts(),
            *self.pro,
            *self.con,
            *self.neutral,
            *self.examples,
        )
        return list(dict.fromkeys(text for text in texts if text.strip()))


def load_definitions(path: Path) -> list[Definition]:
    """Read `definitions.yaml`; a missing file means no named narratives.

    Raises
    ------
    ValueError
        Not YAML, an unknown or missing field, a repeated id, or a narrative without a single seed text; the
        message names the file and the narrative.
    """
    if not path.exists():
        return []
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not valid YAML: {error}") from error
    rows = raw.get("narratives") if isinstance(raw, dict) else None
    if rows is None:
        rows = []
    if not isinstance(rows, list) or (raw and not isinstance(raw, dict)):
        raise ValueError(f"{path}: expected a list under `narratives:`")
    found: list[Definition] = []
    for i, row in enumerate(rows, start=1):
        label = f"{path}: narrative {i}" + (f" ({row.get('id')})" if isinstance(row, dict) else "")
        try:
            definition = Definition.model_validate(row)
        except ValidationError as error:
            details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ValueError(f"{label}: {details}") from error
        if definition.id in {d.id for d in found}:
            raise ValueError(f"{label}: the id appears twice")
        if not definition.seeds():
            raise ValueError(f"{label}: needs a description, a claim, statements or examples; got none")
        found.append(definition)
    return found


def parse_definition(said: Definition | Mapping[str, Any] | str) -> Definition:
    """One narrative from a mapping or from YAML, as `definitions.yaml` has it.

    Raises
    ------
    ValueError
        Not YAML, not one narrative, or not a valid one.
    """
    if isinstance(said, Definition):
        return said
    raw: Any = said
    if isinstance(said, str):
        try:
            raw = yaml.safe_load(said)
        except yaml.YAMLError as error:
            raise ValueError(f"not valid YAML: {error}") from error
    if isinstance(raw, Mapping) and "narratives" in raw:
        raw = raw["narratives"]
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if not isinstance(raw, Mapping):
        raise ValueError("expected one narrative as in definitions.yaml: a mapping with id, name, …")
    try:
        definition = Definition.model_validate(dict(raw))
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ValueError(f"the definition {raw.get('id', '')!r}: {details}") from error
    if not definition.seeds():
        raise ValueError(f"{definition.id}: needs a description, a claim, statements or examples; got none")
    return definition


def check_definitions(definitions: list[Definition]) -> Iterator[str]:
    """Advice that needs no model: what is missing for stance and for telling narratives apart."""
    for d in definitions:
        for name, statements, wanted in (("pro", d.pro, 4), ("con", d.con, 4), ("neutral", d.neutral, 3)):
            if d.kind == "claim" and len(statements) < wanted:
                yield f"{d.id}: {len(statements)} {name} statements, stance wants at least {wanted}"
        if d.kind == "claim" and not d.claim.texts():
            yield f"{d.id}: no claim, so a reader cannot tell what supports and opposes mean"
        has_han = {bool(_HAN.search(text)) for text in d.seeds()}
        if len(has_han) == 1:
            yield f"{d.id}: statements in {'Chinese' if has_han == {True} else 'English'} only"
        if not d.counter_examples:
            yield f"{d.id}: no counter_examples; add headlines that look alike and do not belong"
    seen: dict[str, str] = {}
    for d in definitions:
        for text in d.seeds():
            if text in seen and seen[text] != d.id:
                yield f"{d.id}: shares a statement with {seen[text]}: {text!r}"
            seen[text] = d.id
