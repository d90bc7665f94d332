"""The command `encode`: vectors ahead of an update, here or on a Ray cluster; Parquet in and out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from narratives.commands.screen import (
    DeskOption,
    JsonOption,
    Progress,
    QuietOption,
    note,
    opened,
    print_json,
    say,
)

if TYPE_CHECKING:
    from embeddings import Cost
    from narratives.desk import Desk


def encode(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PARQUET",
            show_default=False,
            help="Parquet files or folders with the columns title and text. Left out: the articles of the desk.",
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option("--engine", help="Compute here, or on the machines of a Ray cluster.")
    ] = "local",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", show_default=False, help="Where Parquet with the vectors is written."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Encoders of the Ray cluster.")] = 2,
    cpus: Annotated[float, typer.Option("--cpus", min=0.1, help="Processor cores that each of them takes.")] = 1.0,
    gpus: Annotated[float, typer.Option("--gpus", min=0, help="GPUs that each of them takes.")] = 0.0,
    take_in: Annotated[
        bool, typer.Option("--take-in/--leave", help="Take what a Ray cluster wrote into the desk's cache.")
    ] = True,
    desk: DeskOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Encode what is not encoded yet; says first how much that is, and how long it will take.

    `narratives update` does it by itself: this command is for large archives, for a model to come
    (`encode.model` in narratives.toml), and for machines beside this one. What was stopped goes on where it was.
    """
    with opened(desk) as own:
        if engine == "ray":
            done = _on_ray(own, paths, out, workers, cpus, gpus, take_in)
        else:
            done = _here(own, paths, out, quiet)
    if as_json:
        print_json(done)
    else:
        for name, value in done.items():
            say(f"{name.replace('_', ' ')}: {value}")


def _here(desk: Desk, paths: list[Path] | None, out: Path | None, quiet: bool) -> dict[str, Any]:
    texts = _texts(desk, paths)
    material = desk.material()
    cost = material.cache.cost(material.encoder, texts, probe=True)
    note(_said(cost, material.encoder.fingerprint))
    with Progress(quiet) as progress:
        material.encode(texts, lambda done, total: progress.texts("encoding", done, total))
    done: dict[str, Any] = {"texts": cost.n_texts, "encoded_now": cost.n_missing}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        done["rows_written"] = material.cache.export_parquet(material.encoder.fingerprint, out / "vectors.parquet")
    return done


def _on_ray(
    desk: Desk, paths: list[Path] | None, out: Path | None, workers: int, cpus: float, gpus: float, take_in: bool
) -> dict[str, Any]:
    from embeddings.distributed import encode_files_with_ray, encode_with_ray

    wanted, material = desk.settings.encode, desk.material()
    folder = out or desk.folder / "encoded"
    if paths:
        encode_files_with_ray(paths, folder, wanted.model, wanted.device, wanted.backend, workers, cpus, gpus)
    else:
        texts = _texts(desk, None)
        note(_said(material.cache.cost(material.encoder, texts), material.encoder.fingerprint))
        encode_with_ray(texts, folder, material.cache, wanted.model, wanted.device, wanted.backend, workers, cpus, gpus)
    done: dict[str, Any] = {"written_to": str(folder)}
    if take_in:
        done["rows_taken_in"] = sum(material.cache.import_parquet(part) for part in sorted(folder.iterdir()))
    return done


def _texts(desk: Desk, paths: list[Path] | None) -> list[str]:
    """Model inputs of the files, else of all articles of the archive, also of those that wait for an update."""
    from sqlalchemy import select

    from embeddings import model_input
    from narratives.archive import schema

    if paths:
        import pandas as pd

        frame = pd.concat([pd.read_parquet(path, columns=["title", "text"]) for path in paths]).fillna("")
        pairs = list(zip(frame["title"], frame["text"], strict=True))
    else:
        table = schema.article
        with desk.archive.reading() as connection:
            pairs = [(row.title, row.text) for row in connection.execute(select(table.c.title, table.c.text))]
    return [model_input(title, text) for title, text in pairs]


def _said(cost: Cost, fingerprint: str) -> str:
    from narratives.weeks import duration

    said = f"{fingerprint.partition('|')[0]}: {cost.n_missing:,} of {cost.n_texts:,} texts are to be encoded"
    if cost.n_missing and cost.seconds is not None:
        said += f", about {duration(cost.seconds)} on this machine"
    if cost.n_missing and cost.other_models:
        said += f"; vectors of {', '.join(name.partition('|')[0] for name in cost.other_models)} stay"
    return said
