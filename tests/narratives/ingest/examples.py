"""A file for every reader as a person would have it, each with the same two articles."""

from __future__ import annotations

import io
import json

import pyarrow
from pyarrow import parquet

ROWS = [
    {
        "title": "稀土出口许可恢复发放",
        "text": "商务部表示，许可证自本月起恢复发放，磁铁厂商称库存已经见底。",
        "published_at": "2025-11-15T02:16:00+08:00",
        "source": "新华社",
        "url": "https://example.com/1",
    },
    {
        "title": "Magnet makers wait for licences",
        "text": "Carmakers said their stocks of magnets would last six weeks.",
        "published_at": "2025-11-16T10:00:00+00:00",
        "source": "Daily Paper",
        "url": "https://example.com/2",
    },
]


def _csv(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    import csv

    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _parquet(rows: list[dict[str, str]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    return file.getvalue()


def rss_of(rows: list[dict[str, str]]) -> str:
    items = "".join(
        f"<item><title>{r['title']}</title><link>{r['url']}</link><pubDate>{r['published_at']}</pubDate>"
        f"<description>&lt;p&gt;{r['text']}&lt;/p&gt;</description>"
        f"<source url='http://x'>{r['source']}</source></item>"
        for r in rows
    )
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0">'
    return f"{head}<channel><title>F</title>{items}</channel></rss>"


def _json_feed(rows: list[dict[str, str]]) -> str:
    items = [
        {"id": r["url"], "url": r["url"], "title": r["title"], "content_html": f"<p>{r['text']}</p>",
         "date_published": r["published_at"]}
        for r in rows
    ]  # fmt: skip
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "新华社", "items": items})


def _page(row: dict[str, str]) -> str:
    body = "".join(f"<p>{row['text']} {i}</p>" for i in range(8))
    return (
        f"<!doctype html><html lang='zh'><head><title>{row['title']}</title>"
        f"<meta property='article:published_time' content='{row['published_at']}'>"
        f"<meta property='og:site_name' content='{row['source']}'>"
        f"<link rel='canonical' href='{row['url']}'></head>"
        f"<body><nav>Home About</nav><article><h1>{row['title']}</h1>{body}</article></body></html>"
    )


def warc_of(rows: list[dict[str, str]]) -> bytes:
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    file = io.BytesIO()
    writer = WARCWriter(file, gzip=True)
    for row in rows:
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.0")
        payload = io.BytesIO(_page(row).encode())
        writer.write_record(writer.create_warc_record(row["url"], "response", payload=payload, http_headers=headers))
    return file.getvalue()


def _gdelt(rows: list[dict[str, str]]) -> str:
    return json.dumps({"articles": [
        {"url": r["url"], "url_mobile": "", "title": r["title"], "seendate": "20251115T021600Z",
         "domain": r["source"], "language": "Chinese", "sourcecountry": "China"} for r in rows]})  # fmt: skip


def _event_registry(rows: list[dict[str, str]]) -> str:
    return json.dumps({"articles": {"page": 1, "results": [
        {"uri": str(i), "lang": "zho", "isDuplicate": False, "date": "2025-11-15", "time": "02:16:00",
         "dateTime": "2025-11-15T02:20:00Z", "dateTimePub": "2025-11-15T02:16:00Z", "url": r["url"],
         "title": r["title"], "body": r["text"], "source": {"uri": "x.cn", "title": r["source"]}}
        for i, r in enumerate(rows)]}})  # fmt: skip


def _media_cloud(rows: list[dict[str, str]]) -> str:
    return _csv([
        {"id": str(i), "publish_date": "2025-11-15 02:16:00", "title": r["title"], "url": r["url"],
         "language": "zh", "media_name": r["source"], "media_url": "x.cn", "indexed_date": "2025-11-18"}
        for i, r in enumerate(rows)
    ])  # fmt: skip


def _search_export(rows: list[dict[str, str]]) -> str:
    return "Workflow\nSearch documents\n" + "".join(
        f"{r['title']}\n{r['source']}· 2025-11-15 02:16\n{r['text']}\n" for r in rows
    )


# Reader, a file as a person would have it, whether it carries texts.
EXAMPLES: dict[str, tuple[str, str | bytes, int]] = {
    "jsonl": ("a.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), 2),
    "json": ("a.json", json.dumps({"data": ROWS}), 2),
    "table": ("a.csv", _csv(ROWS), 2),
    "parquet": ("a.parquet", _parquet(ROWS), 2),
    "feed": ("a.xml", rss_of(ROWS), 2),
    "json-feed": ("a.json", _json_feed(ROWS), 2),
    "page": ("a.html", _page(ROWS[0]), 1),
    "warc": ("a.warc.gz", warc_of(ROWS), 2),
    "gdelt": ("a.json", _gdelt(ROWS), 2),
    "event-registry": ("a.json", _event_registry(ROWS), 2),
    "media-cloud": ("a.csv", _media_cloud(ROWS), 2),
    "search-export": ("a.txt", _search_export(ROWS), 2),
    "opml": (
        "a.opml",
        '<opml version="2.0"><body><outline xmlUrl="https://example.com/f"/></body></opml>',
        0,
    ),
}
