"""Every knob once: what a desk's `narratives.toml` may say, with its meaning, range and default."""

from __future__ import annotations

import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ArchiveSettings(_Section):
    """Where the archive is."""

    url: str = Field(
        "",
        pattern=r"^$|^postgres(ql)?(\+\w+)?://",
        description="Address of a PostgreSQL database that holds the archive of a team; empty keeps it in the desk's "
        "folder. ${NAME} in it is an environment variable: keep the password in one.",
    )


class IngestSettings(_Section):
    """How files become articles."""

    default_timezone: str = Field("Asia/Shanghai", description="Zone of dates that name none.")
    reprint_window_days: int = Field(14, ge=0, le=365, description="Reprints are looked for this many days around.")
    reprint_similarity: float = Field(0.6, gt=0, le=1, description="Jaccard similarity of shingles of a reprint.")
    max_text_chars: int = Field(200_000, ge=1_000, description="A longer text is quarantined.")
    max_record_bytes: int = Field(10_000_000, ge=10_000, description="A longer line or record is quarantined.")
    max_document_bytes: int = Field(
        200_000_000, ge=10_000, description="A larger JSON, XML or HTML file is quarantined whole."
    )
    max_expansion: int = Field(1_000, ge=10, description="A packed file that grows by more than this is refused.")
    max_future_days: int = Field(7, ge=0, description="A date further ahead than this is quarantined.")
    slash_dates: str = Field(
        "refuse",
        pattern="^(refuse|month-first|day-first)$",
        description="What 03/04/2025 means: `month-first`, `day-first`, or `refuse` it as ambiguous.",
    )
    languages: list[str] = Field(
        default_factory=lambda: ["zh", "en", "ja", "ko", "de", "fr", "es", "pt", "it", "ru", "id", "ms", "vi", "ar"],
        description="Languages that may be detected, as two-letter codes.",
    )
    full_text_below: int = Field(
        200, ge=0, description="A feed's article with less text is completed from its page; 0 never does."
    )
    feed_timeout_seconds: float = Field(20.0, gt=0, le=300, description="How long a server may take to answer.")
    feed_retries: int = Field(2, ge=0, le=10, description="Further attempts after a server failed.")
    second_process: bool = Field(
        True, description="A large file is read by a second process while the first writes; the result is the same."
    )
    allow_local_addresses: bool = Field(False, description="Feeds may point to this machine or its network.")

    @field_validator("default_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value


class EncodeSettings(_Section):
    """How articles become vectors."""

    model: str = Field(
        "default",
        description="`default`, `fast`, `hybrid` (both side by side), or any sentence-transformers model name or path.",
    )
    device: str = Field("auto", description="`auto`, `cpu`, `cuda` (all of them), `cuda:1`, `mps`.")
    backend: str = Field(
        "auto",
        pattern="^(auto|torch-float32|torch-bfloat16|openvino-float32|openvino-bfloat16|onnxruntime-float32)$",
        description="What computes on a CPU; `auto`: what computed the desk's vectors so far, at first the fastest "
        "that agrees with float32.",
    )


class DiscoverSettings(_Section):
    """How articles become narratives.

    Scores are cosines in a space from which language and the subject's own mean are removed, plus overlap of
    words and mentions of the narrative's actors; unrelated articles score about 0 with an sd of about .1.
    """

    timezone: str = Field("Asia/Shanghai", description="Zone in which a week begins on Monday at midnight.")
    bootstrap_stories: int = Field(50, ge=10, description="Stories that the first clustering waits for.")
    min_stories: int = Field(5, ge=3, description="Stories that a new narrative needs.")
    buffer_weeks: int = Field(3, ge=1, le=26, description="Unassigned articles stay candidates this long.")
    buffer_max: int = Field(12_000, ge=100, description="At most this many unassigned articles are clustered.")
    grain: str = Field(
        "auto",
        pattern="^(auto|subject|events)$",
        description="What a discovered narrative is: as broad as the material tells apart best (`subject`), or one "
        "event (`events`). `auto`: events on a desk without definitions, which is given no subject.",
    )
    event_level: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Similarity from which texts tell of one event, on average; 0: what was measured for the `default` "
        "encoder (0.345), for any other one far enough above the similarity of strangers.",
    )
    tau_percentile: float = Field(
        0.0,
        ge=0,
        lt=100,
        description="Groups are cut at this percentile of the similarity of pairs; 0: as `grain` says.",
    )
    word_weight: float = Field(1.0, ge=0, description="Weight of word overlap beside the cosine, in assignment.")
    group_word_weight: float = Field(
        0.25, ge=0, description="The same in grouping articles; left unset, 0.4 at the grain of events."
    )
    across_languages: float = Field(
        1.4,
        ge=1,
        le=2,
        description="An article's cosine to what is told in another language counts so many times; left unset, 1.6 at "
        "the grain of events.",
    )
    actor_weight: float = Field(0.03, ge=0, description="Weight of ln(1 + mentions of the narrative's actors).")
    vote_weight: float = Field(
        0.4,
        ge=0,
        description="Before the first clustering: weight of the share of sentences that speak of a definition.",
    )
    seed_members: float = Field(4.0, gt=0, description="A definition's texts count as this many articles.")
    level_sd: float = Field(1.2, ge=0, description="A narrative's own level: mean minus this many sd.")
    level_shrinkage: float = Field(40, ge=0, description="Weight of the pooled mean and sd.")
    floor: float = Field(
        0.0, ge=0, lt=1, description="An article by itself joins nothing below this score; 0: measured on the members."
    )
    group_floor: float = Field(
        0.0, ge=0, lt=1, description="Nor does a group of articles below this mean score; 0: measured on the members."
    )
    kinship: float = Field(
        0.0, ge=0, lt=2, description="From this kinship on a young narrative has split off an older one; 0: measured."
    )
    sibling: float = Field(
        0.6,
        gt=0,
        le=2,
        description="Newborn groups whose similarity across is this share of that inside them are one; 2 never are.",
    )
    came_before: float = Field(
        0.4,
        gt=0,
        le=2,
        description="At the grain of events: a group is not born where texts like it came before at this share of "
        "today's rate, or more; 2 is never asked.",
    )
    grown_p_value: float = Field(
        0.01,
        ge=0,
        le=0.5,
        description="At the grain of events: such a group is born all the same where chance would give its growth this "
        "seldom; 0 never is.",
    )
    burst_p_value: float = Field(
        0.0025,
        ge=0,
        le=0.1,
        description="At the grain of events: a word in headlines bursts where chance would give such growth this "
        "seldom, and gathers a subject that is told in many ways; 0 never does.",
    )
    vote_share: float = Field(
        0.65,
        gt=0,
        le=2,
        description="An article that misses a narrative's level is its weak member where this share of its neighbours "
        "is; 2 never is.",
    )
    vote_level: float = Field(0.8, gt=0, le=1, description="And where it reaches this share of the level.")
    max_members: int = Field(300, ge=20, description="A centre and its level are those of the latest members.")
    dormant_weeks: int = Field(8, ge=2, description="Weeks without a member until a narrative is dormant.")
    ended_weeks: int = Field(26, ge=3, description="Weeks without a member until it has ended.")
    review_every: int = Field(2, ge=1, description="Splits and merges are looked for every this many weeks.")
    seed: int = Field(20250825, description="Random state of everything random.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value


class AlertSettings(_Section):
    """When a new narrative is worth a message."""

    min_recent_stories: int = Field(4, ge=2, description="Stories in the last two weeks.")
    min_recent_share: float = Field(0.6, ge=0, le=1, description="Share of members from the last two weeks.")
    cohesion_margin: float = Field(
        0.02,
        ge=-1,
        le=0.5,
        description="Mean similarity of its stories must exceed the cut by this, or discover.sibling of the "
        "cut where it was born of parts.",
    )
    max_false_per_quarter: float = Field(
        1.0, ge=0, le=100, description="False alarms in 13 weeks that the level is calibrated to; 0 never does."
    )
    max_p_value: float = Field(
        0.025, gt=0, le=1, description="Of its growth against its own past, until the level is calibrated."
    )
    told_before: float = Field(
        0.8,
        ge=0,
        le=2,
        description="At the grain of events: where the nearest texts of the weeks before are this share as like it as "
        "its own stories are to each other, or more, its growth must be ten times as surprising; 2 never asks.",
    )
    routine_share: float = Field(
        0.5, gt=0, le=2, description="From this share of headlines of a routine series on it is routine; 2 never is."
    )
    same_margin: float = Field(
        0.0, ge=-1, le=2, description="As like a young alert as the cut and this: the same story; 2 never is."
    )
    same_weeks: int = Field(4, ge=1, le=26, description="An alert is young for so many weeks.")
    min_sources: int = Field(2, ge=1, description="Independent sources after reprints are collapsed.")
    confirm_stories: int = Field(1, ge=1, le=20, description="Later stories that confirm an alert.")
    channels: list[str] = Field(default_factory=list, description="Names of environment variables with apprise URLs.")
    retry_minutes: float = Field(
        5, gt=0, le=1_440, description="A message that failed is tried again after this, then four times as long, …"
    )
    max_attempts: int = Field(8, ge=1, le=100, description="After so many failures a message is given up.")
    send_timeout_seconds: float = Field(20, gt=0, le=300, description="How long a channel may take to answer.")


class ScoreSettings(_Section):
    """Who scores stance and tone; measure a scorer by `narratives evaluate` before you change it."""

    stance: str = Field(
        "local",
        pattern="^(local|llm|nli:.+)$",
        description="`local`, `nli:NAME` (a Hugging Face NLI model by name or path), or `llm` (see [llm]).",
    )
    tone: str = Field(
        "local",
        pattern="^(local|hf:.+|absa:.+)$",
        description="`local`, `hf:NAME` (a sentiment model), or `absa:NAME` (one that reads text and target).",
    )


class LlmSettings(_Section):
    """A language model, at an address that speaks as OpenAI's does; asked for nothing unless both are set."""

    base_url: str = Field("", description="Address such as http://localhost:8000/v1; empty: no language model.")
    model: str = Field("", description="Name of the model there; empty: no language model.")
    key_env: str = Field(
        "OPENAI_API_KEY", description="Name of the environment variable with the key; empty: none is needed."
    )
    timeout_seconds: float = Field(60.0, gt=0, le=3_600, description="How long an answer may take.")
    retries: int = Field(2, ge=0, le=10, description="Further attempts after the server failed.")
    max_output_tokens: int = Field(800, ge=16, le=32_000, description="Longest answer.")
    json_mode: bool = Field(True, description="Ask for JSON by `response_format`; some servers do not know it.")
    price_input: float = Field(0.0, ge=0, description="Price of a million tokens sent; 0 in both: not known.")
    price_output: float = Field(0.0, ge=0, description="Price of a million tokens received.")
    max_cost: float = Field(1.0, ge=0, description="A run that could cost more is not started, in the same money.")
    max_calls: int = Field(2_000, ge=1, description="Nor one that could ask more often.")

    @property
    def enabled(self) -> bool:
        return bool(self.base_url and self.model)


class ReportSettings(_Section):
    """How the report looks."""

    language: str = Field("both", pattern="^(zh|en|both)$", description="`zh`, `en` or `both`.")
    min_stories_for_average: int = Field(3, ge=1, description="Fewer stories: the report says too few.")
    quotes: int = Field(6, ge=1, le=20, description="Evidence quotes a narrative.")
    weeks: int = Field(12, ge=2, le=104, description="Weeks shown in charts.")
    channels: list[str] = Field(
        default_factory=list,
        description="Where `narratives report --mail` sends: names of environment variables with apprise URLs; empty "
        "takes alerts.channels.",
    )
    site_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Where the site of `narratives site` is served; messages link to it.",
    )


class Settings(_Section):
    """A desk's settings."""

    subject: str = Field("rare earths and magnets", description="What is followed; shown in the report.")
    subject_zh: str = Field("", description="The same in Chinese; empty takes `subject`.")
    archive: ArchiveSettings = ArchiveSettings()
    ingest: IngestSettings = IngestSettings()
    encode: EncodeSettings = EncodeSettings()
    discover: DiscoverSettings = DiscoverSettings()
    alerts: AlertSettings = AlertSettings()
    score: ScoreSettings = ScoreSettings()
    llm: LlmSettings = LlmSettings()
    report: ReportSettings = ReportSettings()


def load_settings(path: Path) -> Settings:
    """Read `narratives.toml`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is not TOML, or a value is unknown or out of range; the message names file and value.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return Settings.model_validate(raw)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        raise ValueError(f"{path}: " + "; ".join(lines)) from error
