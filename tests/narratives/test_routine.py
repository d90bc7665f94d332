import random
from datetime import date, timedelta

import pytest

from narratives.routine import Habits, Headline, outlet, routine_share, template, template_names

BORN = date(2025, 11, 10)


def days(title: str, source: str, *ages: int) -> list[Headline]:
    """A headline of so many days before the birth; `#` becomes a number that differs."""
    return [Headline(title.replace("#", str(500 + age)), source, BORN - timedelta(days=age)) for age in ages]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("11月17日氧化镨钕报价55.2万元/吨 上涨0.5", "11月18日氧化镨钕报价54.9万元/吨 下跌0.3"),
        ("国家统计局：10月份工业增加值同比增长4.9%", "国家统计局：9月份工业增加值同比增长6.5%"),
        ("Rare earth prices, Nov 17: oxide up 2.1 pct", "Rare earth prices, Oct 20: oxide down 0.4 pct"),
        ("CHINA SEPT RARE EARTH EXPORTS 4,000 TONS", "China Oct rare earth exports 5,120 tons"),
        ("稀土永磁板塊收盤上漲2%", "稀土永磁板块收盘下跌1%"),
    ],
)
def test_issues_of_one_series_have_one_template(one, other):
    assert template(one) == template(other) != ""


def test_different_headlines_have_different_templates_and_a_bare_number_has_none():
    assert template("Lynas opens a plant in Texas") != template("Lynas closes a plant in Texas")
    assert template("3月5日 12.5%") == ""


def test_from_one_figure_to_another_is_one_figure_and_no_series_of_its_own():
    assert template("价格由45万元至46万元，成交清淡") == template("价格由47万元，成交清淡") != ""
    assert template_names("Roche to buy Seragon for up to $1.7 billion") == {
        "roche to buy seragon for #",
        "…seragon for #",
    }


@pytest.mark.parametrize(
    ("title", "source"), [("#日氧化镨钕报价#元/吨", "磁材在线"), ("Oxide prices, day #: NdPr at # yuan", "Metal Wire")]
)
def test_a_price_table_that_returns_each_week_is_routine(title, source):
    newborn = days(title, source, 0, 3, 7, 10)
    found = routine_share(newborn, days(title, source, 14, 17, 21, 24, 28), BORN - timedelta(days=7))
    assert found.share == 1.0 and found.n_days == 9 and 3 <= found.every_days <= 4


def test_the_company_may_change_before_the_number():
    names = ("Acme", "Beta", "Corus", "Delta", "Evergreen", "Foxtrot", "Gamma")
    table = [Headline(f"{n} 3RD QTR NET", "Wire", BORN - timedelta(days=4 * i)) for i, n in enumerate(names)]
    assert routine_share(table[:3], table[3:], BORN - timedelta(days=7)).share == 1.0


def test_a_real_story_is_not_routine_however_alike_its_headlines():
    story = days("Mine in Kachin halts after landslide kills #", "Wire", 0, 1, 2, 4, 6)
    assert routine_share(story, story, BORN - timedelta(days=7)).share == 0.0


def test_headlines_that_return_irregularly_are_not_a_series():
    title = "Export ban on magnets: # questions"
    assert routine_share(days(title, "Post", 0), days(title, "Post", 1, 2, 60), BORN - timedelta(days=7)).share == 0.0


def test_a_headline_that_stands_over_new_figures_on_three_days_is_a_form_though_nothing_came_before():
    form = [Headline("Agency adjusts discount note rates", "Wire", BORN - timedelta(days=age)) for age in (0, 2, 8)]
    other = Headline("Bank changes short-term discount note rates", "Post", BORN)
    loans = Headline("A savings bank offers a loan without points", "Post", BORN)
    found = routine_share([*form, other, loans], [], BORN - timedelta(days=7))
    assert found.share == 0.8 and found.n_days == 3
    assert routine_share(form[:2], [], BORN - timedelta(days=7)).share == 0.0


def test_a_toll_that_rises_is_no_form():
    story = [Headline(f"Toll of the landslide rises to {n}", "Wire", BORN - timedelta(days=n)) for n in (0, 2, 4, 6)]
    assert routine_share(story, [], BORN - timedelta(days=7)).share == 0.0


@pytest.mark.parametrize(
    "titles",
    [
        (
            "Asarco lowers copper price 1.50 cts to 67 cts",
            "Cyprus lowers copper price 1.25 cts",
            "Magma lowers copper price to 66",
        ),
        (
            "北方稀土上调氧化镨钕挂牌价至45.2万元",
            "南方稀土上調氧化鐠釹掛牌價至45.5萬元",
            "盛和资源上调氧化镨钕挂牌价至46万元",
        ),
    ],
)
def test_what_one_firm_after_another_posts_with_its_own_number_is_a_form(titles):
    posted = [Headline(title, "Wire", BORN) for title in titles]
    other = Headline("Copper falls on the exchange", "Post", BORN)
    found = routine_share([*posted, other], [], BORN - timedelta(days=7))
    assert found.share == 0.75 and found.n_days == 1 and found.every_days == 0
    assert routine_share(posted[:2], [], BORN - timedelta(days=7)).share == 0.0


@pytest.mark.parametrize("middle", ["halts 2 lines as magnet stocks run out", "says magnet stocks run out"])
def test_what_many_say_of_one_thing_is_no_form(middle):
    story = [Headline(f"{name} {middle}", "Wire", BORN) for name in ("Ford", "Suzuki", "BMW", "Bosch")]
    assert routine_share(story, [], BORN - timedelta(days=7)).share == 0.0


def test_a_mixed_group_says_how_much_of_it_is_routine():
    newborn = [*days("#日氧化镨钕报价#元/吨", "甲", 0, 7), *days("包头新厂爆炸，#人受伤", "乙", 0, 1)]
    found = routine_share(newborn, days("#日氧化镨钕报价#元/吨", "甲", 14, 21), BORN - timedelta(days=7))
    assert found.share == 0.5 and "报价" in found.template


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Reuters", "Reuters India", True),
        ("reuters.com", "Reuters UK", True),
        ("新浪财经", "新浪科技", True),
        ("第一财经", "第一科技", False),
        ("中国日报", "中国新闻网", False),
        ("Fox News", "Sky News", False),
    ],
)
def test_editions_of_an_outlet_are_one_voice(one, other, same):
    assert (outlet(one) == outlet(other)) is same


NEWS = (
    "Oxide prices, day #: NdPr at # yuan",
    "#日氧化镨钕报价#元/吨",
    "稀土永磁板塊收盤上漲#%",
    "ACME CORP 4TH QTR NET #",
    "Beta Corp 3rd qtr net sets record",
    "Mine in Kachin halts after landslide kills #",
    "Lynas opens a #th plant in Texas",
    "5stones fall on #street, #pm: a #tag",
    "包头新厂爆炸，#人受伤",
    "#%",
)


@pytest.mark.parametrize("seed", range(20))
def test_habits_noted_for_all_newborn_say_what_each_would_find_by_itself(seed):
    dice = random.Random(seed)

    def headlines(n: int) -> list[Headline]:
        return [
            Headline(
                dice.choice(NEWS).replace("#", str(dice.randrange(1, 999))),
                dice.choice(("甲", "Wire", "Post")),
                BORN - timedelta(days=dice.randrange(0, 60)),
            )
            for _ in range(n)
        ]

    before, newborn = headlines(80), [headlines(dice.randrange(1, 7)) for _ in range(5)]
    habits = Habits([member for members in newborn for member in members])
    habits.see(before)
    since = BORN - timedelta(days=7)
    assert [routine_share(members, habits, since) for members in newborn] == [
        routine_share(members, before, since) for members in newborn
    ]
    for name in habits.names:
        assert habits.days.get(name, set()) == {h.day for h in before if name in template_names(h.title)}


def test_habits_of_others_are_refused():
    habits = Habits(days("Oxide prices, day #", "Wire", 0))
    with pytest.raises(ValueError, match="were noted"):
        routine_share(days("Lynas opens a plant in Texas", "Wire", 0), habits, BORN)
