"""What is read: the weekly report, its charts, the notebook's view. Reads only the Desk's frames.

>>> import reports
>>> sorted(reports.__all__)[:2]
['WeeklyReport', 'build_weekly']
"""

from reports.content import WeeklyReport
from reports.explore import explore
from reports.export import render_json, weekly_schema
from reports.markdown import render_markdown
from reports.page import render_html
from reports.pictures import write_pictures
from reports.site import site
from reports.weekly import build_weekly
from reports.writing import write_weekly

__all__ = [
    "WeeklyReport",
    "build_weekly",
    "explore",
    "render_html",
    "render_json",
    "render_markdown",
    "site",
    "weekly_schema",
    "write_pictures",
    "write_weekly",
]
