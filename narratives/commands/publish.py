"""Commands that publish: the report of a week, its charts as pictures, a site of all weeks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from narratives.commands.screen import (
    NEEDS_A_LOOK,
    DeskOption,
    JsonOption,
    count,
    note,
    opened,
    print_json,
    say,
)

if TYPE_CHECKING:
    from narratives.desk import Desk
    from reports.mail import Sent

WeekOption = Annotated[
    str | None,
    typer.Option(
        "--week",
        metavar="WEEK",
        show_default=False,
        help="Such as 2025-W46, or a day of it. Left out: the last.",
    ),
]
LangOption = Annotated[
    Literal["zh", "en", "both"] | None,
    typer.Option("--lang", show_default=False, help="Language of the report. Left out: what narratives.toml says."),
]
OpenOption = Annotated[bool, typer.Option("--open/--no-open", help="Show the report in the browser.")]


def report(
    week: WeekOption = None,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="WEEK", show_default=False, help="Also compare with this earlier week."),
    ] = None,
    lang: LangOption = None,
    with_pictures: Annotated[bool, typer.Option("--pictures", help="Also write every chart as PNG and SVG.")] = False,
    mail: Annotated[
        bool, typer.Option("--mail", help="Also send it to the channels of narratives.toml, by apprise.")
    ] = False,
    drafts: Annotated[
        bool, typer.Option("--draft", help="Also let the language model of [llm] draft names and summaries.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the .json, and do no more.")
    ] = False,
    show: OpenOption = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a week into the desk's folder: HTML, Markdown and JSON. Prints where they lie.

    `--mail` sends the five sentences with the HTML (where a channel takes no files, with a link if report.site_url is
    set) to the channels of report.channels, else alerts.channels: environment variables that hold apprise URLs.
    """
    if schema:
        from reports import weekly_schema

        say(json.dumps(weekly_schema(), ensure_ascii=False, indent=2))
        return
    with opened(desk, read_only=True) as own:
        written = write_report(own, week, lang, compare, drafts)
        pictures = _pictures(own, week, lang, ("png", "svg"), None) if with_pictures else []
        sent = _mail(own, week, lang, compare, Path(written["html"])) if mail else []
    if as_json:
        print_json({**written, **_facts(pictures, sent)})
    else:
        for path in (*written.values(), *map(str, pictures)):
            say(path)
        for one in sent:
            said = (
                f"failed: {one.error}" if one.error else "sent, with the HTML" if one.with_file else "sent, text only"
            )
            say(f"{one.channel}: {said}")
    if show:
        show_page(written["html"])
    if any(one.error for one in sent):
        raise typer.Exit(NEEDS_A_LOOK)


def pictures(
    week: WeekOption = None,
    form: Annotated[Literal["png", "svg", "both"], typer.Option("--format", help="png, svg or both.")] = "both",
    folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", show_default=False, help="Left out: reports/pictures in the desk."),
    ] = None,
    lang: LangOption = None,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write every chart of a week's report as PNG and SVG, with Chinese. Prints where they lie."""
    with opened(desk, read_only=True) as own:
        paths = _pictures(own, week, lang, ("png", "svg") if form == "both" else (form,), folder)
    if as_json:
        print_json(_facts(paths, []))
    else:
        for path in paths:
            say(str(path))


def site(
    folder: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", show_default=False, help="Left out: reports/site in the desk."),
    ] = None,
    lang: LangOption = None,
    show: OpenOption = False,
    desk: DeskOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a static site: an index, a page a week, and a page a narrative whose address stays.

    It works from a folder on disk and from any web server, and asks nothing of another one.
    """
    from reports import site as write_site

    with opened(desk, read_only=True) as own:
        _require_week(own)
        pages = write_site(own, folder, lang or own.settings.report.language)
    if as_json:
        print_json({"index": str(pages[0].absolute()), "pages": len(pages)})
    else:
        say(str(pages[0].absolute()))
        note(count(len(pages), "page"))
    if show:
        show_page(str(pages[0]))


def write_report(
    desk: Desk, week: str | None, lang: str | None, compare: str | None, drafts: bool = False
) -> dict[str, str]:
    """Write the report; format -> path. Where drafting fails it is written without drafts, and that is said."""
    from narratives.weeks import parse
    from reports import write_weekly

    _require_week(desk)
    chosen = parse(week) if week else None
    against = parse(compare) if compare else None
    said = lang or desk.settings.report.language
    if drafts:
        from narratives.llm import LlmError

        try:
            files = write_weekly(desk, chosen, said, against, desk.llm())
        except LlmError as error:
            note(f"no drafts: {error}")
            files = write_weekly(desk, chosen, said, against)
    else:
        files = write_weekly(desk, chosen, said, against)
    names = {".html": "html", ".md": "markdown", ".json": "json"}
    return {names.get(path.suffix, path.suffix): str(path.absolute()) for path in files}


def show_page(path: str) -> None:
    """Open a page in the person's browser."""
    import webbrowser

    if not webbrowser.open(Path(path).absolute().as_uri()):
        note(f"no browser was found to open it with: {path}")


def _require_week(desk: Desk) -> None:
    if not desk.weeks():
        where = "" if desk.folder == Path.cwd() else f" --desk {desk.folder}"
        raise ValueError(
            f"no week has been processed yet: `narratives ingest FILES{where}`, then `narratives update{where}`"
        )


def _pictures(
    desk: Desk, week: str | None, lang: str | None, formats: tuple[str, ...], folder: Path | None
) -> list[Path]:
    from narratives.weeks import parse
    from reports import build_weekly, write_pictures

    _require_week(desk)
    built = build_weekly(desk, parse(week) if week else None)
    place = folder or desk.folder / "reports" / "pictures"
    return write_pictures(built, place, lang or desk.settings.report.language, formats)


def _mail(desk: Desk, week: str | None, lang: str | None, compare: str | None, html: Path) -> list[Sent]:
    from narratives.weeks import parse
    from reports import build_weekly
    from reports.mail import send_report

    built = build_weekly(desk, parse(week) if week else None, parse(compare) if compare else None)
    return send_report(built, html, desk.settings, lang or desk.settings.report.language)


def _facts(pictures: list[Path], sent: list[Sent]) -> dict[str, object]:
    out: dict[str, object] = {}
    if pictures:
        out["pictures"] = [str(path.absolute()) for path in pictures]
    if sent:
        out["sent"] = [vars(one) for one in sent]
    return out
