"""Short sentences from a grammar and the words of the reviews, such as "It was not a waste." """

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from sentir.training.negation.polar_words import Lexicon

#: Share of the clauses that turn the polarity of their word.
TURNED = 0.6
#: Shares of sentences with a second clause of the other polarity, and of the same one.
CONTRASTED, JOINED = 0.2, 0.1
#: Shares of sentences with an opening, and with a closing.
OPENED, CLOSED = 0.1, 0.05
#: What a sentence ends with: mostly a full stop.
ENDS = (" .", " .", " !", "")
#: Stands for a neutral noun where the reviews have none.
NO_NOUN = "it"

_SLOT = re.compile(r"\{(\w)\}")


def generate_sentences(lexicon: Lexicon, count: int, seed: int) -> Iterator[tuple[int, str]]:
    """Sentences with their class: 0 negative and 1 positive, in turns.

    Args:
        lexicon: with at least one slot.
        count: number of sentences.
        seed: random seed.
    """
    random, grammar = Random(seed), lexicon.grammar
    for number in range(count):
        polarity = number % 2
        text = _clause(lexicon, polarity, random)
        drawn = random.random()
        if drawn < CONTRASTED:
            conceded = _clause(lexicon, 1 - polarity, random)
            text = random.choice(grammar.joins).format(conceded, text)
        elif drawn < CONTRASTED + JOINED:
            other = _clause(lexicon, polarity, random)
            text = random.choice(grammar.also).format(other, text)
        if random.random() < OPENED:
            text = f"{random.choice(grammar.openings)} , {text}"
        if random.random() < CLOSED:
            text = f"{text} {random.choice(grammar.closings)}"
        yield polarity, text + random.choice(ENDS)


def _clause(lexicon: Lexicon, polarity: int, random: Random) -> str:
    grammar = lexicon.grammar
    slots = list(lexicon.polar)
    (slot,) = random.choices(slots, [grammar.slots[name].drawn for name in slots])
    turns = random.random() < TURNED
    frame = random.choice(grammar.slots[slot].turn if turns else grammar.slots[slot].keep)
    word_polarity = 1 - polarity if turns else polarity

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name == "t":
            return _SLOT.sub(fill, random.choice(grammar.subjects))
        words = lexicon.neutral if name == "k" else lexicon.polar[name][word_polarity]
        return random.choices(words.words, words.weights)[0] if words.words else NO_NOUN

    return _SLOT.sub(fill, frame)
