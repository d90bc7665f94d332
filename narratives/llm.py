"""A language model behind any OpenAI-compatible address: checked JSON answers, kept on disk, at a stated price.

Nothing here is asked unless `llm.base_url` and `llm.model` are set. The key comes from the environment variable that
`llm.key_env` names; it is neither stored nor shown.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from narratives.settings import LlmSettings

if TYPE_CHECKING:
    from openai import OpenAI

Answer = TypeVar("Answer", bound=BaseModel)
_HAN = re.compile(r"[\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff00-\uffef]")
_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*|\s*```\s*$")
_LATIN_CHARS_A_TOKEN = 4


class LlmError(ValueError):
    """The model gave no usable answer; the message says why, without the key."""


class InvalidAnswer(LlmError):
    """It answered twice, and neither answer was the JSON asked for. Kept, so that the next run says the same."""


class TooExpensive(LlmError):
    """More calls or more money than the settings allow."""


@dataclass(frozen=True)
class Estimate:
    """What a job would cost at most: calls, tokens in and out, and money where prices are set (else None).

    `n_kept` of the prompts are answered from disk and cost nothing.
    """

    n_calls: int
    n_kept: int
    input_tokens: int
    output_tokens: int
    money: float | None

    def __str__(self) -> str:
        money = "no price set" if self.money is None else f"{self.money:.2f} in the price's currency"
        return (
            f"at most {self.n_calls} calls, {self.input_tokens} tokens in and {self.output_tokens} out ({money}); "
            f"{self.n_kept} answered from disk"
        )


def count_tokens(text: str) -> int:
    """A guess from above without the model's own tokeniser: a token a Chinese character, one for four others.

    >>> count_tokens("稀土出口"), count_tokens("rare earth exports")
    (4, 5)
    """
    n_han = len(_HAN.findall(text))
    return n_han + math.ceil((len(text) - n_han) / _LATIN_CHARS_A_TOKEN)


class Llm:
    """Asks an OpenAI-compatible endpoint, each question once.

    Parameters
    ----------
    settings
        The section `[llm]`.
    folder
        Where answers are kept, one small file each; the same prompt to the same model is answered from there, so
        that the same archive gives the same bytes.

    Raises
    ------
    LlmError
        No endpoint or model is set.
    """

    def __init__(self, settings: LlmSettings, folder: Path) -> None:
        if not settings.enabled:
            raise LlmError("no language model is set: [llm] needs base_url and model")
        self.settings, self._folder = settings, folder
        self._client: OpenAI | None = None
        self.n_calls, self.input_tokens, self.output_tokens = 0, 0, 0

    @property
    def name(self) -> str:
        return self.settings.model

    # -- price -----------------------------------------------------------------------------------------------

    def money(self, input_tokens: int, output_tokens: int) -> float | None:
        """Price of so many tokens; None where no price is set."""
        a, b = self.settings.price_input, self.settings.price_output
        return None if not a and not b else (input_tokens * a + output_tokens * b) / 1_000_000

    def estimate(self, prompts: Sequence[str], schema: type[BaseModel], system: str = "") -> Estimate:
        """What asking all of them would cost at most; asks nothing."""
        fixed = count_tokens(self._instruction(schema, system))
        new = [p for p in dict.fromkeys(prompts) if not self._file(p, schema, system).exists()]
        given = sum(count_tokens(p) for p in new) + fixed * len(new)
        taken = self.settings.max_output_tokens * len(new)
        return Estimate(len(new), len(prompts) - len(new), given, taken, self.money(given, taken))

    def afford(self, estimate: Estimate) -> None:
        """Refuse a job before it starts.

        Raises
        ------
        TooExpensive
            With the estimate and the limit.
        """
        limit = self.settings
        if estimate.n_calls > limit.max_calls:
            raise TooExpensive(f"{estimate}; llm.max_calls allows {limit.max_calls}")
        if estimate.money is not None and estimate.money > limit.max_cost:
            raise TooExpensive(f"{estimate}; llm.max_cost allows {limit.max_cost:g}")

    # -- asking ----------------------------------------------------------------------------------------------

    def complete_json(self, prompt: str, schema: type[Answer], system: str = "") -> Answer:
        """The model's answer as an object of `schema`.

        An answer that is not such an object is sent back once with what is wrong with it.

        Raises
        ------
        InvalidAnswer
            Two answers were not what was asked for; not asked again while the file is kept.
        LlmError
            The endpoint failed, refused or was too slow, a key or a package is missing.
        TooExpensive
            This object has asked as much as the settings allow.
        """
        file = self._file(prompt, schema, system)
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept["answer"] is None:
                raise InvalidAnswer(kept["why"])
            return schema.model_validate(kept["answer"])
        messages = [
            {"role": "system", "content": self._instruction(schema, system)},
            {"role": "user", "content": prompt},
        ]
        wrong = ""
        for _ in range(2):
            said = self._ask(messages)
            try:
                answer = schema.model_validate(_parsed(said))
            except ValueError as error:  # json.JSONDecodeError and pydantic's ValidationError are both
                wrong = _why(error)
                messages += [
                    {"role": "assistant", "content": said},
                    {"role": "user", "content": f"That is not the JSON object asked for: {wrong}. Answer again."},
                ]
                continue
            self._keep(file, answer.model_dump(mode="json"), "")
            return answer
        why = f"{self.name} gave no valid answer: {wrong}"
        self._keep(file, None, why)
        raise InvalidAnswer(why)

    def _ask(self, messages: list[dict[str, str]]) -> str:
        limit = self.settings
        spent = self.money(self.input_tokens, self.output_tokens)
        if self.n_calls >= limit.max_calls or (spent is not None and spent >= limit.max_cost):
            raise TooExpensive(f"{self.n_calls} calls made ({spent or 0:.2f} spent): llm.max_calls or max_cost reached")
        more: dict[str, Any] = {"response_format": {"type": "json_object"}} if limit.json_mode else {}
        client = self._opened()
        from openai import OpenAIError

        self.n_calls += 1
        try:
            said = client.chat.completions.create(
                model=limit.model,
                messages=messages,  # type: ignore[arg-type]
                temperature=0.0,
                seed=0,
                max_tokens=limit.max_output_tokens,
                **more,
            )
        # ValueError: a server that does not speak JSON at all. Not chained: the original holds the request's key.
        except (OpenAIError, ValueError) as error:
            raise LlmError(f"{limit.base_url}: {type(error).__name__}: {self._scrubbed(str(error))}") from None
        choices = getattr(said, "choices", None)
        content = choices[0].message.content if choices else None
        usage = getattr(said, "usage", None)
        asked = sum(count_tokens(m["content"]) for m in messages)
        self.input_tokens += usage.prompt_tokens if usage else asked
        self.output_tokens += usage.completion_tokens if usage else count_tokens(content or "")
        return content or ""

    def _opened(self) -> OpenAI:
        if self._client is None:
            try:
                from openai import OpenAI
            except ImportError as error:
                raise LlmError("a language model needs openai: pip install 'narratives[llm]'") from error
            limit = self.settings
            self._client = OpenAI(
                base_url=limit.base_url,
                api_key=self._key(),
                timeout=limit.timeout_seconds,
                max_retries=limit.retries,
            )
        return self._client

    def _key(self) -> str:
        name = self.settings.key_env
        if not name:
            return "none"  # the client wants one; a local server does not look at it
        key = os.environ.get(name, "")
        if not key:
            raise LlmError(f"the environment variable {name} holds no key (llm.key_env)")
        return key

    def _scrubbed(self, message: str) -> str:
        key = os.environ.get(self.settings.key_env, "") if self.settings.key_env else ""
        return (message.replace(key, "***") if key else message)[:500]

    # -- keeping ---------------------------------------------------------------------------------------------

    def _instruction(self, schema: type[BaseModel], system: str) -> str:
        shape = json.dumps(schema.model_json_schema(), ensure_ascii=False, sort_keys=True)
        return f"{system}\nAnswer with one JSON object and nothing else. Its JSON Schema: {shape}".strip()

    def _file(self, prompt: str, schema: type[BaseModel], system: str) -> Path:
        parts = [self.name, self._instruction(schema, system), prompt, self.settings.max_output_tokens]
        key = hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:32]
        return self._folder / key[:2] / f"{key}.json"

    def _keep(self, file: Path, answer: Any, why: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(f".{os.getpid()}.part")
        kept = {"model": self.name, "answer": answer, "why": why}
        half.write_text(json.dumps(kept, ensure_ascii=False, sort_keys=True), encoding="utf-8")
        half.replace(file)


def _parsed(said: str) -> Any:
    """The JSON in an answer; models like to put a fence or a sentence around it."""
    bare = _FENCE.sub("", said)
    start, end = bare.find("{"), bare.rfind("}")
    return json.loads(bare[start : end + 1] if 0 <= start < end else bare)


def _why(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())[:300]
    return str(error)[:300]
