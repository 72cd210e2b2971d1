"""The grammars of the synthetic reviews: complete rules, and the same rules in both languages."""

from __future__ import annotations

import re

import pytest

from sentir.synthetic.grammars import ENGLISH, SPANISH

GRAMMARS = {"en": ENGLISH, "es": SPANISH}
#: Slots without a rule of their own: noun, adjectives, verb phrase, concession, clause.
BUILT_IN = {"n", "A", "A1", "A2", "M", "V", "C", "T"}


def rules(grammar: str) -> dict[str, list[str]]:
    """The rules of each domain as ``domain/name``; common rules have the domain ``""``."""
    domain, name, alternatives = "", "", {}
    for line in grammar.strip().splitlines():
        if line.startswith("["):
            domain = line.strip("[]")
            continue
        if not line.startswith(" "):
            name, _, line = line.partition(": ")
        alternatives.setdefault(f"{domain}/{name}", []).extend(
            line.strip().removeprefix("| ").split(" | ")
        )
    return alternatives


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_slot_has_a_rule(language: str) -> None:
    grammar = rules(GRAMMARS[language])
    names = {rule.partition("/")[2] for rule in grammar} | BUILT_IN
    slots = set(re.findall(r"{(\w+)[!?]?}", GRAMMARS[language]))
    assert slots <= names


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_rule_is_used(language: str) -> None:
    start = {"telling", "decoy", "filler", "item", "aspect", "concession"}
    slots = set(re.findall(r"{(\w+)[!?]?}", GRAMMARS[language])) | start
    used = slots | {f"{slot[0].replace('M', 'A')}{sign}" for slot in slots for sign in "+-"}
    assert {rule.partition("/")[2] for rule in rules(GRAMMARS[language])} <= used | {"S"}


@pytest.mark.parametrize("language", GRAMMARS)
def test_no_alternative_is_empty_or_has_unbalanced_braces(language: str) -> None:
    for rule, alternatives in rules(GRAMMARS[language]).items():
        for text in alternatives:
            assert text.strip(), rule
            for pair in ("{}", "()", "[]"):
                assert text.count(pair[0]) == text.count(pair[1]), text


@pytest.mark.parametrize("language", GRAMMARS)
def test_every_domain_has_items_aspects_adjectives_and_fillers(language: str) -> None:
    grammar = rules(GRAMMARS[language])
    domains = {rule.partition("/")[0] for rule in grammar} - {""}
    assert len(domains) == 6
    for domain in domains:
        for name in ("item", "aspect", "A+", "A-", "filler"):
            assert len(grammar[f"{domain}/{name}"]) >= 3, (domain, name)


@pytest.mark.parametrize("language", GRAMMARS)
def test_no_adjective_is_both_positive_and_negative(language: str) -> None:
    grammar = rules(GRAMMARS[language])
    positive, negative = (
        {text for rule, texts in grammar.items() if rule.endswith(f"/A{sign}") for text in texts}
        for sign in "+-"
    )
    assert not positive & negative


def test_the_languages_have_the_same_domains() -> None:
    domains = [re.findall(r"^\[(\w+)\]$", grammar, re.M) for grammar in GRAMMARS.values()]
    assert domains[0] == domains[1]
