"""A found narrative's statements are drafted from its own sentences, and used when a person has confirmed them."""

from typing import Any

from narratives.definitions import Bilingual, Definition
from narratives.drafts import draft_rows, usable_statements

ROW: dict[str, Any] = {
    "id": "N0004",
    "slug": None,
    "drafted": True,
    "definition": {
        "claim": {"zh": "再生磁铁成功", "en": ""},
        "pro": ["The plant is a success."],
        "con": ["The plant is a failure."],
        "neutral": [],
    },
}


def test_a_draft_measures_nothing_until_it_is_confirmed() -> None:
    assert usable_statements("N0004", ROW, None) is None
    confirmed = usable_statements("N0004", ROW | {"drafted": False}, None)
    assert confirmed is not None and confirmed.claim == ("再生磁铁成功",)
    assert confirmed.pro == ("The plant is a success.",) and confirmed.decidable


def test_a_narrative_being_born_and_one_without_two_sides_have_nothing_to_measure_by() -> None:
    assert usable_statements("N0004", None, None) is None
    one_sided = ROW | {"drafted": False, "definition": {"claim": {"en": "A plant opens"}}}
    assert usable_statements("N0004", one_sided, None) is None


def test_the_analysts_definition_decides_where_there_is_one() -> None:
    named = Definition(id="a", name=Bilingual(en="A"), claim=Bilingual(en="It works"), con=("It fails",))
    assert usable_statements("N0001", None, named) is not None
    assert usable_statements("N0001", None, Definition(id="a", name=Bilingual(en="A"))) is None


def test_a_draft_can_be_read_with_its_roles() -> None:
    assert draft_rows(ROW) == [
        ("claim", "zh", "再生磁铁成功"),
        ("pro", "en", "The plant is a success."),
        ("con", "en", "The plant is a failure."),
    ]
