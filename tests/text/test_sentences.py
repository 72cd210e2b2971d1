"""Sentences of reviews, in English and Spanish."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentir.text.sentences import split_sentences

#: A bar stands where a sentence ends.
TEXTS = [
    "It broke.|I want my money back!|Why?|No idea.",
    "it broke. |i want my money back.|never again",
    "Mr. Smith and Dr. Jones agreed.|They left at 5 p.m. because it was late.",
    "It was late, 5 p.m.|The shop was closed.",
    "No. 5 is fine, and no.|It is not.",
    "I paid $3.50 for version 2.0 of it.|Cheap.",
    "J. K. Rowling wrote it.|It is better than I.|You know.",
    "Cables, chargers, etc. were missing.|Cables, etc.|All was missing.",
    "Well... it works.|It works...|Sometimes.",
    "Amazing!!!|Worst ever?!|Yes.",
    'He said "Never again."|I agree.',
    "(It was great.)|We loved it.",
    "Great :-) !!|Really",
    "first line\n|second line\r\n|third",
    "The plot is dull.<br /><br />|But I loved it<br>|so much",
    "¿Por qué?|¡Nunca más!|El Sr. Pérez fue amable.|La Dra. Ruiz también.",
    "Vivimos en EE.UU. desde enero.|Vivimos en EE.UU.|El envío tardó.",
    "Vivimos en EE. UU. desde enero.|Vivimos en EE. UU.|Es lejos, p. ej. de aquí.",
    "Pesa aprox. 3 kg.|Es caro… pero bueno.|Es caro…|Es bueno.",
    "See e.g. the manual, i.e. page 3.|It is on p. 3.",
    "Visit www.example.com.now or a.b.c today.|Done",
]


@pytest.mark.parametrize("text", TEXTS)
def test_where_a_sentence_ends(text: str) -> None:
    sentences = [re.sub(r"<br\s*/?>", "", part).strip() for part in text.split("|")]
    joined = text.replace(".|", ". |").replace("!|", "! |").replace("?|", "? |")
    joined = joined.replace('"|', '" |').replace(")|", ") |").replace("…|", "… |")
    assert split_sentences(joined.replace("|", "")) == sentences


def test_a_part_without_words_belongs_to_the_sentence_before() -> None:
    assert split_sentences("Good. :-) Bad.") == ["Good.", ":-) Bad."]
    assert split_sentences("Good!  \n :-) \n Bad.") == ["Good! :-)", "Bad."]
    assert split_sentences("...") == ["..."]
    assert split_sentences(" \n ") == split_sentences("") == []


@given(st.text(st.sampled_from("ab1A.!?… \n\t\"')<br/>¿ñé"), max_size=60))
def test_nothing_is_lost(text: str) -> None:
    sentences = split_sentences(text)
    without = re.compile(r"\s|<br\s*/?>")
    assert without.sub("", "".join(sentences)) == without.sub("", text)
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)


@pytest.mark.parametrize("unit", [".", "!", " ", "a.", "<br ", '"', '."', ". ", "a", "\n", "<br>"])
def test_time_grows_with_the_length(unit: str) -> None:
    start = time.process_time()
    split_sentences(unit * (200_000 // len(unit)))
    assert time.process_time() - start < 2


def test_sentences_of_real_reviews_are_found_again(real_data: Path) -> None:
    """Five sentences by different people in one text; some have no full stop at their end."""
    right = found = expected = 0
    for site in ("amazon", "yelp"):
        lines = (real_data / "order" / f"sentences-{site}.ft.txt").read_text("utf-8").splitlines()
        sentences = [line.split(" ", 1)[1].strip() for line in lines]
        random.Random(0).shuffle(sentences)
        for first in range(0, len(sentences), 5):
            some = sentences[first : first + 5]
            ends = {len(" ".join(some[: count + 1])) for count in range(5)}
            text, end, split = " ".join(some), 0, set()
            for sentence in split_sentences(text):
                end = text.index(sentence, end) + len(sentence)
                split.add(end)
            right, found, expected = (
                right + len(ends & split), found + len(split), expected + len(ends)
            )  # fmt: skip
    assert right / found > 0.975
    assert right / expected > 0.98
