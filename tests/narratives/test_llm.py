"""The language model's client against a server on this machine: recorded, failing, hanging and invalid answers."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from narratives.llm import InvalidAnswer, Llm, LlmError, TooExpensive
from narratives.settings import LlmSettings

pytest.importorskip("openai")
KEY = "sk-a-secret-that-nobody-sees"


class Verdict(BaseModel):
    stance: str = Field(pattern="^(supports|opposes)$")


@pytest.fixture
def ask(endpoint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DESK_KEY", KEY)

    def made(**settings: Any) -> Llm:
        given = {"base_url": endpoint.url, "model": "small", "key_env": "DESK_KEY", "retries": 0} | settings
        return Llm(LlmSettings(**given), tmp_path / "llm")

    return made


def test_an_answer_is_checked_and_the_same_question_is_asked_once(ask: Any, endpoint: Any) -> None:
    endpoint.answer = 'Here it is:\n```json\n{"stance": "supports"}\n```'
    assert ask().complete_json("稀土？", Verdict).stance == "supports"
    endpoint.answer = '{"stance": "opposes"}'
    assert ask().complete_json("稀土？", Verdict).stance == "supports"
    assert len(endpoint.asked) == 1
    assert ask(model="other").complete_json("稀土？", Verdict).stance == "opposes"
    request = endpoint.asked[0]
    assert request["path"] == "/v1/chat/completions" and request["temperature"] == 0
    assert "JSON Schema" in request["messages"][0]["content"]


def test_an_invalid_answer_is_sent_back_once_with_what_is_wrong(ask: Any, endpoint: Any) -> None:
    endpoint.answer = lambda last: '{"stance": "opposes"}' if "not the JSON" in last else '{"stance": "maybe"}'
    assert ask().complete_json("q", Verdict).stance == "opposes"
    assert "stance: String should match" in endpoint.asked[1]["messages"][-1]["content"]


def test_two_invalid_answers_are_an_error_that_is_remembered(ask: Any, endpoint: Any) -> None:
    endpoint.answer = "I would rather not."
    for _ in range(2):
        with pytest.raises(InvalidAnswer, match="small gave no valid answer"):
            ask().complete_json("q", Verdict)
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_failing_server_is_an_error_without_the_key(ask: Any, endpoint: Any, status: int, tmp_path: Path) -> None:
    endpoint.status = status
    with pytest.raises(LlmError) as caught:
        ask().complete_json("q", Verdict)
    assert "refused" in str(caught.value) and KEY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert endpoint.asked[0]["key"] == f"Bearer {KEY}"
    endpoint.status, endpoint.answer = 200, '{"stance": "supports"}'
    assert ask().complete_json("q", Verdict).stance == "supports", "a failure is not kept"
    assert all(KEY not in file.read_text() for file in (tmp_path / "llm").rglob("*.json"))


def test_a_server_that_failed_once_is_asked_again(ask: Any, endpoint: Any) -> None:
    endpoint.status, endpoint.answer = 500, '{"stance": "supports"}'

    def healed(_: str) -> str:
        endpoint.status = 200 if len(endpoint.asked) > 1 else 500
        return '{"stance": "supports"}'

    endpoint.answer = healed
    assert ask(retries=1).complete_json("q", Verdict).stance == "supports"


def test_a_hanging_server_is_waited_for_no_longer_than_asked(ask: Any, endpoint: Any) -> None:
    endpoint.delay = 5
    began = time.monotonic()
    with pytest.raises(LlmError, match="Timeout"):
        ask(timeout_seconds=0.2).complete_json("q", Verdict)
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("body", ["<html>busy</html>", "{}", '{"choices": []}'])
def test_a_server_that_speaks_something_else_is_an_error(ask: Any, endpoint: Any, body: str) -> None:
    endpoint.body = body
    with pytest.raises(LlmError):
        ask().complete_json("q", Verdict)


def test_nobody_there_is_an_error_with_the_address(ask: Any) -> None:
    with pytest.raises(LlmError, match=r"127\.0\.0\.1:9/v1: APIConnectionError"):
        ask(base_url="http://127.0.0.1:9/v1").complete_json("q", Verdict)


def test_the_cost_is_known_before_anything_is_asked(ask: Any, endpoint: Any) -> None:
    endpoint.answer = '{"stance": "supports"}'
    llm = ask(price_input=2.0, price_output=10.0, max_output_tokens=100, max_cost=0.01)
    llm.complete_json("稀" * 100, Verdict)
    asked = len(endpoint.asked)
    estimate = llm.estimate(["稀" * 100, "土" * 100, "土" * 100], Verdict)
    assert (estimate.n_calls, estimate.n_kept, estimate.output_tokens) == (1, 2, 100)
    assert 100 < estimate.input_tokens < 300
    assert estimate.money == pytest.approx((estimate.input_tokens * 2 + 100 * 10) / 1e6)
    llm.afford(estimate)
    with pytest.raises(TooExpensive, match=r"max_cost allows 0\.01"):
        llm.afford(llm.estimate([f"{i}" for i in range(20)], Verdict))
    with pytest.raises(TooExpensive, match=r"at most 2 calls.*max_calls allows 1"):
        ask(max_calls=1).afford(llm.estimate(["a", "b"], Verdict))
    assert len(endpoint.asked) == asked


def test_asking_stops_where_the_money_ends(ask: Any, endpoint: Any) -> None:
    endpoint.answer = '{"stance": "supports"}'
    llm = ask(price_input=100.0, max_cost=0.015)  # each answer says it used 100 tokens
    for question in ("a", "b"):
        llm.complete_json(question, Verdict)
    with pytest.raises(TooExpensive, match="2 calls made"):
        llm.complete_json("c", Verdict)


def test_a_missing_key_names_the_variable(ask: Any) -> None:
    with pytest.raises(LlmError, match="NO_SUCH_KEY holds no key"):
        ask(key_env="NO_SUCH_KEY").complete_json("q", Verdict)


def test_without_an_endpoint_there_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(LlmError, match="needs base_url and model"):
        Llm(LlmSettings(), tmp_path)


def test_what_is_kept_is_json_that_says_the_model(ask: Any, endpoint: Any, tmp_path: Path) -> None:
    endpoint.answer = '{"stance": "supports"}'
    ask(key_env="").complete_json("q", Verdict)
    (file,) = (tmp_path / "llm").rglob("*.json")
    assert json.loads(file.read_text()) == {"model": "small", "answer": {"stance": "supports"}, "why": ""}
