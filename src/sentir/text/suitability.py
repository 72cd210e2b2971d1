"""Whether a tokenizer suits a corpus: words are found by white space, which not every text has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sentir.text.cleaning import Ranges, character_class

#: Scripts that are written without spaces between words, and the mean word (characters) above
#: which no spaces were put in. Segmented text has 1.7 (Chinese), 2 (Japanese) and 4.5 (Thai).
UNSPACED: tuple[tuple[str, Ranges, float], ...] = (
    ("Chinese or Japanese", ((0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x9FFF),
                             (0xF900, 0xFAFF), (0x20000, 0x3FFFF)), 3.0),
    ("Thai, Lao, Burmese or Khmer", ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)), 8.0),
)  # fmt: skip
_SCRIPTS = [
    (name, re.compile(f"[{character_class(ranges)}]"), longest)
    for name, ranges, longest in UNSPACED
]
#: Share of a corpus' characters in words of a script above which the script decides.
SCRIPT_SHARE = 0.25
#: Mean length of all words (characters); it is 3 to 7 in the languages of Europe.
MAX_MEAN_LENGTH = 15.0
#: Share of words that occur once, or are unknown; it is 0.01 to 0.3 for most corpora.
MAX_RARE_SHARE = 0.5
#: Words that a corpus must have for its rare words to mean something.
MIN_WORDS = 1000

_TODO = "use subwords: --tokenizer bpe or --tokenizer unigram"


def unsuitable_words(counts: Iterable[tuple[str, int]], *, total: int, once: int) -> str | None:
    """Why word tokens do not suit a corpus, and what to do; None if they do.

    Args:
        counts: the words and how often each occurs.
        total: words of the corpus, with those that are not in `counts`.
        once: words that occur once.
    """
    words = characters = 0
    of_script = [[0, 0] for _ in _SCRIPTS]
    for word, count in counts:
        words += count
        characters += count * len(word)
        if not word.isascii():
            for script, (_, pattern, _) in zip(of_script, _SCRIPTS, strict=True):
                if pattern.search(word):
                    script[0] += count
                    script[1] += count * len(word)
    reason = None
    for (script_words, script_characters), (name, _, longest) in zip(
        of_script, _SCRIPTS, strict=True
    ):
        if (
            script_characters > SCRIPT_SHARE * characters
            and script_characters > longest * script_words
        ):
            reason = (
                f"they hold {name} text without spaces between words "
                f"({script_characters / script_words:.0f} characters per word)"
            )
    if reason is None and characters > MAX_MEAN_LENGTH * words:
        reason = f"a word has {characters / words:.0f} characters on average"
    if reason is None and total >= MIN_WORDS and once > MAX_RARE_SHARE * total:
        reason = f"{once / total:.0%} of their words occur only once"
    return reason and f"the word tokenizer does not suit these reviews: {reason}; {_TODO}"


def unsuitable_ids(unknown: int, total: int) -> str | None:
    """Why a tokenizer that was learnt elsewhere does not suit a corpus; None if it does.

    Args:
        unknown: tokens of the corpus that the tokenizer does not know.
        total: tokens of the corpus.
    """
    if total < MIN_WORDS or unknown <= MAX_RARE_SHARE * total:
        return None
    return (
        "the language model's tokenizer does not suit these reviews: "
        f"{unknown / total:.0%} of their tokens are unknown to it; train without the language "
        f"model, or pre-train one on such reviews; for text without spaces between words {_TODO}"
    )
