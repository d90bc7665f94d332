"""The search export: each article with its own title, source, instant and body, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from narratives.articles import Article, Reject
from narratives.ingest.fields import Context
from narratives.ingest.registry import reader_for
from narratives.ingest.search_export import title_of
from narratives.ingest.sources import Source
from narratives.settings import IngestSettings

_EXPORT = Path(__file__).parents[4] / "shared" / "data" / "ndfeb-search-export.txt"

_PAGE = """Workflow
磁体
icon
Search documents
磁铁涨价了!工厂要停产?一个来自车厂的消息,让整个行业都竖起了耳朵,...
Cai Jing· 2025-11-15 02:16
磁铁涨价了!工厂要停产? 一个来自车厂的消息,让整个行业都竖起了耳朵, 后面还有。
第二行正文 ...
Magnet makers expand
Daily Paper· 2025-11-12 12:45
Core Insights - A factory opens.
"""


def test_each_article_has_its_own_title_source_instant_and_body(read) -> None:
    first, second = read("export.txt", _PAGE)
    assert first.title == "磁铁涨价了!工厂要停产?"
    assert first.source == "Cai Jing"
    assert first.published_at.astimezone(UTC) == datetime(2025, 11, 14, 18, 16, tzinfo=UTC)
    assert first.text.startswith("磁铁涨价了!工厂要停产? 一个来自") and first.text.endswith("第二行正文 ...")
    assert (second.title, second.text) == ("Magnet makers expand", "Core Insights - A factory opens.")
    assert second.origin.endswith("export.txt:9")


def test_a_nonsense_date_costs_that_article_alone(read) -> None:
    records = read("export.txt", _PAGE.replace("2025-11-15", "2025-13-45"))
    assert [type(record) for record in records] == [Reject, Article]
    assert records[0].reason == "bad-date"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_encodings_and_windows_line_ends_make_no_difference(read, encoding: str) -> None:
    records = read("export.txt", _PAGE.replace("\n", "\r\n").encode(encoding))
    assert [record.title for record in records] == ["磁铁涨价了!工厂要停产?", "Magnet makers expand"]


def test_a_page_header_without_articles_is_not_recognised(tmp_path: Path) -> None:
    file = tmp_path / "page.txt"
    file.write_text("Workflow\n磁体\nicon\nSearch documents\n", encoding="utf-8")
    assert reader_for(Source.of_file(file, IngestSettings())) is None


def test_a_heading_without_ellipsis_is_the_title_whatever_it_holds() -> None:
    heading = "稀土暴涨37%!北方稀土打响“翻身仗”,人形机器人再添一把火。"
    assert title_of(heading, "Core Viewpoint - The announcement") == heading


def test_a_snippet_that_opens_the_body_is_cut_from_the_title() -> None:
    heading = "工厂要停产?一个来自车厂的消息让整个行业都竖起了耳朵,..."
    assert title_of(heading, "一个来自车厂的消息让整个行业都竖起了耳朵,但是没有人说话") == "工厂要停产?"


@pytest.mark.realdata
@pytest.mark.skipif(not _EXPORT.exists(), reason="needs ../shared/data")
def test_the_real_export_gives_exactly_its_ten_articles() -> None:
    settings = IngestSettings()
    source = Source.of_file(_EXPORT, settings)
    reader = reader_for(source)
    assert reader is not None and reader.name == "search-export"
    articles = list(reader.read(source, Context(settings)))
    assert all(isinstance(article, Article) for article in articles)
    assert [article.title for article in articles] == [
        "台积电认怂了!董事长魏哲家称,台积电稀土告急,求大陆放手?",
        "美国生产出首块稀土磁铁,贝森特称再也不怕被中国卡脖子",
        "存储芯片价格暴涨700%,稀土金属成为AI变局的上帝之手?",
        "马来西亚的稀土背刺:为什么把稀土这张王牌交给韩国,而不是中国?",
        "冲击中国稀土“王牌”?白宫宣布大胜,中方后退4步,话音刚落,美政府敲定14亿美元大单",
        "破解中方稀土管制,特朗普与澳签协议:一年后我们稀土多到用不完",
        "稀土暴涨37%!北方稀土打响“翻身仗”,人形机器人再添一把火。",
        "中国一纸矿物质审批,为何能让ASML光刻机产线告急?全球芯片命门浮现",
        "中美抢资产定价权!稀土卡脖黄金暴涨,暗战升级进入白热化",
        "中国稀土之父徐光宪:如果美国没有稀土,过去就打不赢海湾战争",
    ]
    assert {article.source for article in articles} == {"Sou Hu Cai Jing", "Tai Mei Ti A P P"}
    assert articles[0].published_at.astimezone(UTC) == datetime(2025, 11, 14, 18, 16, tzinfo=UTC)
    assert articles[9].published_at.astimezone(UTC) == datetime(2025, 10, 18, 4, 35, tzinfo=UTC)
    assert all("Search documents" not in article.title + article.text for article in articles)
    assert articles[1].text.startswith("美国财政部长") and articles[1].text.endswith("eVAC的工厂 ...")
