"""A desk with two weeks of history that no model wrote, and `run`, which types a command and gives its answer."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from narratives.archive import Archive, schema
from narratives.cli import main
from narratives.commands.screen import FAILED, OK
from narratives.definitions import load_definitions
from narratives.named import name_definitions

Answer = tuple[int, str, str]
Run = Callable[..., Answer]
DEFINITIONS = """
narratives:
  - id: china-leverage
    name: {zh: 中国稀土杠杆, en: China leverage}
    claim: {zh: 中国以稀土为杠杆, en: China uses rare earths as leverage}
    pro: [Beijing tightens its grip on magnets]
"""
WEEKS = (date(2025, 11, 3), date(2025, 11, 10))
ARTICLES = [  # title, text, source, published_at
    ("中国收紧稀土出口管制", "商务部宣布新的许可制度。企业担心断供。", "环球观察站", "2025-11-04T09:00:00+08:00"),
    ("China tightens licences", "Beijing added rules. Buyers fear cuts.", "Harbor Wire", "2025-11-05T09:00:00+08:00"),
    ("Magnet makers wait", "Permits take months. Plants may stop.", "Capitol Dispatch", "2025-11-11T09:00:00+08:00"),
    ("回收厂扩产", "拆解线满产。废料价格上涨。", "磁材在线", "2025-11-12T09:00:00+08:00"),
    ("Recycling \x1b[31mgrows", "Old drives become magnets.", "Mekong Post", "2025-11-13T09:00:00+08:00"),
    ("Harvest festival opens", "Crowds came to the square.", "Harbor Wire", "2025-11-14T09:00:00+08:00"),
]


def jsonl(rows: list[tuple[str, str, str, str]]) -> str:
    names = ("title", "text", "source", "published_at")
    lines = [{**dict(zip(names, row, strict=True)), "url": f"https://example.org/{i}"} for i, row in enumerate(rows)]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with six articles, one bad record, and two weeks of history written by hand: no model runs."""
    root = tmp_path_factory.mktemp("finished")
    desk = root / "desk"
    (root / "definitions.yaml").write_text(DEFINITIONS, encoding="utf-8")
    (root / "crawl.jsonl").write_text(jsonl(ARTICLES) + '{"title": "no date", "text": "Nothing says when."}\n', "utf-8")
    assert main(["init", str(desk), "--definitions", str(root / "definitions.yaml")]) == OK
    assert main(["ingest", str(root / "crawl.jsonl"), "--desk", str(desk), "--quiet"]) == OK
    with Archive.open(desk / "archive.sqlite") as archive:
        name_definitions(archive, load_definitions(desk / "definitions.yaml"))
        write_history(archive)
    return desk


def write_history(archive: Archive) -> None:
    ids = [row["id"] for row in sorted(archive.rows(schema.article), key=lambda row: row["published_at"])]
    home = ["N0001", "N0001", "N0001", "N0002", "N0002", None]
    with archive.begin() as connection:
        connection.execute(
            schema.narrative.update().values(
                status="active", born_week=WEEKS[0], last_week=WEEKS[1], level=0.2, n_members=3
            )
        )
        connection.execute(
            schema.narrative.insert().values(
                id="N0002", origin="discovered", status="provisional", name_zh="回收 · 拆解", name_en="scrap · drives",
                keywords_zh=["回收"], keywords_en=["scrap"], born_week=WEEKS[1], last_week=WEEKS[1], drafted=True,
                n_members=2,
            )
        )  # fmt: skip
        for week in WEEKS:
            connection.execute(schema.step.insert().values(week=week, n_articles=3))
        for article, narrative, week in zip(ids, home, [WEEKS[0]] * 2 + [WEEKS[1]] * 4, strict=True):
            connection.execute(
                schema.article.update().where(schema.article.c.id == article).values(step_week=week, is_voice=True)
            )
            connection.execute(
                schema.tone.insert().values(
                    article_id=article, tone=-0.4, p_negative=0.6, p_neutral=0.2, p_positive=0.2, scorer="test",
                    evidence=[{"start": 0, "end": 8, "tone": -0.4}],
                )
            )  # fmt: skip
            if narrative:
                connection.execute(
                    schema.membership.insert().values(
                        article_id=article, narrative_id=narrative, weight=0.5, primary=True, how="assigned", week=week
                    )
                )
        archive.add_event(connection, WEEKS[1], "born", "N0002")
        evidence = {
            "n_stories": 2, "n_recent": 2, "recent_share": 1.0, "n_sources": 1, "cohesion": 0.3,
            "article_ids": ids[3:5],
            "passed": {"recent_stories": False, "recent_share": True, "cohesion": True, "sources": False},
            "nearest": "N0001", "nearest_score": 0.1, "level_of_nearest": 0.2,
        }  # fmt: skip
        for alert, tier, state in (("A0001", "alert", "emerging"), ("A0002", "watch", "retracted")):
            connection.execute(
                schema.alert.insert().values(
                    id=alert, narrative_id="N0002", week=WEEKS[1], tier=tier, state=state, statistic=0.3, threshold=0.2,
                    evidence=evidence,
                )
            )  # fmt: skip


@pytest.fixture
def desk(finished: Path, tmp_path: Path) -> Path:
    """A copy of that desk, to be changed at will."""
    return Path(shutil.copytree(finished, tmp_path / "desk"))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command away from any desk; gives its exit code, stdout and stderr."""
    monkeypatch.delenv("NARRATIVES_DESK", raising=False)
    monkeypatch.delenv("NARRATIVES_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()

    def command(*arguments: object) -> Answer:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def refused(answer: Answer, *words: str) -> None:
    """One line on stderr with these words, nothing on stdout, exit code 1."""
    code, out, err = answer
    assert (code, out) == (FAILED, "")
    assert err.startswith("error: ") and err.count("\n") == 1, err
    for word in words:
        assert word in err
