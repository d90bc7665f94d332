"""From what a person names (files, folders, globs, addresses) to the sources to read, in a fixed order."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Files of a folder that describe its articles and are none themselves.
_STEMS = {
    "readme",
    "license",
    "licence",
    "labels",
    "definitions",
    "changelog",
    "contributing",
    "notice",
    "makefile",
}
_SUFFIXES = {
    ".md", ".rst", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".py", ".ipynb", ".log", ".lock", ".tmp",
    ".sqlite", ".sqlite-wal", ".sqlite-shm", ".db", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".docx",
    ".xlsx", ".zip", ".tar", ".bin", ".npy", ".npz", ".safetensors",
}  # fmt: skip


# A folder with a file of this name is passed over when a folder above it is read.
NO_INGEST = ".noingest"


@dataclass(frozen=True)
class Found:
    """One thing to read: a file or an address.

    `named` tells whether the person named this very file, or it was found in a folder. `note` says why it is
    passed over, when it is.
    """

    place: str
    is_address: bool
    named: bool
    note: str = ""


def is_address(place: str) -> bool:
    """It is an http or https address.

    >>> is_address("https://example.com/feed"), is_address("feeds/a.xml")
    (True, False)
    """
    return place.lower().startswith(("http://", "https://"))


def find_sources(places: Iterable[str | Path]) -> list[Found]:
    """Files and addresses, each once: in the order named, those of a folder or glob sorted by path.

    Raises
    ------
    FileNotFoundError
        A file is not there, or a glob matches nothing.
    """
    found: dict[str, Found] = {}
    for place in places:
        for item in _expand(place):
            found.setdefault(item.place, item)
    return list(found.values())


def _expand(place: str | Path) -> Iterator[Found]:
    text = str(place)
    if is_address(text):
        yield Found(text, is_address=True, named=True)
        return
    path = Path(text).expanduser()
    if path.is_dir():
        for child in sorted(p for p in path.rglob("*") if p.is_file()):
            yield Found(str(child.absolute()), False, named=False, note=_why_not(child, path))
    elif path.exists():
        yield Found(str(path.absolute()), False, named=True)
    else:
        matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(text) else []  # noqa: PTH207
        if not matches:
            what = "nothing matches" if glob.has_magic(text) else "there is no file or folder"
            raise FileNotFoundError(f"{what} {text}")
        for match in matches:
            if Path(match).is_dir():
                yield from _expand(match)
            else:
                note = _why_not(Path(match), Path(match).parent)
                yield Found(str(Path(match).absolute()), False, named=False, note=note)


def _why_not(file: Path, folder: Path) -> str:
    """Why a file found in a folder is passed over; empty when it is read."""
    if any(part.startswith(".") for part in file.relative_to(folder).parts):
        return "hidden"
    below = [folder / Path(*file.relative_to(folder).parts[:n]) for n in range(len(file.relative_to(folder).parts))]
    if any((place / NO_INGEST).exists() for place in below):
        return f"its folder holds a file {NO_INGEST}"
    if file.stem.casefold() in _STEMS or file.name.casefold() in _STEMS:
        return "describes the folder, is no input"
    if file.suffix.casefold() in _SUFFIXES:
        return f"{file.suffix} files are no input"
    return ""
