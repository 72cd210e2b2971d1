from __future__ import annotations

import difflib
import importlib
import re
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.pieces import CACHE_KINDS, distinct_pieces
from sentir.config import CLEAN_STEPS
from sentir.text import treebank
from sentir.text.cleaning import STEPS, cleaner
from sentir.text.treebank import MAX_PIECE_CHARACTERS, WordSplitter, split_piece


def tokens(text: str) -> list[str]:
    """Words by the rules alone, without cleaning."""
    return WordSplitter((), tuple)(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # clitics
        ("I don't, can't, won't.", "I do n't , ca n't , wo n't ."),
        ("It's John's; I'm, you're, we've, they'll, he'd", "It 's John 's ; I 'm , you 're , we 've"
         " , they 'll , he 'd"),
        ("she'd've CAN'T I'D", "she 'd 've CA N'T I 'D"),
        ("the dogs' bone", "the dogs ' bone"),
        ("O'Brien's y'all d'accord", "O'Brien 's y'all d'accord"),
        # contractions without an apostrophe
        ("I cannot, gonna, Wanna, gotta", "I can not , gon na , Wan na , got ta"),
        ("gimme lemme d'ye more'n", "gim me lem me d 'ye more 'n"),
        ("'tis 'Twas '90s 'em", "' tis ' Twas ' 90s ' em"),
        # quotes
        ('He said "hi". ("x")', "He said `` hi '' . ( `` x '' )"),
        ("``x'' 'hello'", "`` x '' ' hello '"),
        ("“q” ‘hi’ «x»", "“ q ” ‘ hi ’ « x »"),
        # dashes and dots
        ("well-known a--b a — b 1–2", "well-known a -- b a — b 1 – 2"),
        ("wait... what.... no.. si…", "wait ... what .... no .. si …"),
        # numbers
        ("3,50 and 10:30 and 1,000,000, and 5: yes", "3,50 and 10:30 and 1,000,000 , and 5 : yes"),
        ("$3.50! 50% 5* 1/2 #1", "$ 3.50 ! 50 % 5 * 1/2 # 1"),
        # full stops
        ("The end. (The end.) \"End.\" 'End.'", "The end . ( The end . ) `` End . '' ' End . '"),
        ("Mr. Smith, Dr. Who vs. the U.S.A. e.g. J. Doe", "Mr. Smith , Dr. Who vs. the U.S.A. e.g."
         " J. Doe"),
        ("end.The", "end.The"),
        ("The best.: a title (and its review.):", "The best . : a title ( and its review . ) :"),
        # signs that are tokens of their own
        ("What?! [AT&T] {a;b} @me", "What ? ! [ AT & T ] { a ; b } @ me"),
        # Spanish
        ("¡Qué película! ¿No?", "¡ Qué película ! ¿ No ?"),
        ("¿¡Cómo!? La Sra. Núñez llegó a las 10:30.", "¿ ¡ Cómo ! ? La Sra. Núñez llegó a las 10:30"
         " ."),
        # emoji and other symbols
        ("awful😡😡 👍great 😡", "awful 😡 😡 👍 great 😡"),
        ("great.😡 (great.😀) U.S.🎉 the Dr.❤", "great . 😡 ( great . 😀 ) U.S. 🎉 the Dr. ❤"),
        ("love♥you★★★☆☆ 5⃣ •one Kindle™ ©2020", "love ♥ you ★ ★ ★ ☆ ☆ 5 ⃣ • one Kindle ™ © 2020"),
        ("🇪🇸🇲🇽bueno", "🇪🇸 🇲🇽 bueno"),
        ("HIV\\AIDS \ue057 bad\ufffd 90°F 3−2", "HIV \\ AIDS \ue057 bad \ufffd 90°F 3 − 2"),
        # punctuation of other scripts
        ("很好，很好。（好！） جيد، جدا؟ अच्छा।", "很好 ， 很好 。 （ 好 ！ ） جيد ، جدا ؟ अच्छा ।"),
        # an address
        ("see <url>, (<url>).", "see <url> , ( <url> ) ."),
    ],
)  # fmt: skip
def test_treebank_rules(text: str, expected: str) -> None:
    assert tokens(text) == expected.split(" ")


def test_cleaning_comes_first() -> None:
    split = WordSplitter(CLEAN_STEPS, tuple)
    text = "I’ll read&nbsp;it<br />at WWW.X.COM/a, 10:30; café CAFE\u0301."
    assert split(text) == "i 'll read it at <url> , 00:00 ; café café .".split()


@pytest.mark.parametrize(
    "around",
    [
        *("{}\x97the", "{}\x85", "\x93{}\x94", "{}\x92s", "{}\x9d"),
        *(
            "{}😡",
            "😡{}",
            "{}😡😡",
            "{}❤\ufe0f",
            "{}👍🏽",
            "{}👩\u200d👧",
            "{}🇪🇸",
            "{}☺.",
            "{}.😡",
            "{}!😡",
            "({})😡",
            "{}…😡",
        ),
        *(
            "{}™",
            "•{}",
            "★{}★",
            "{}→",
            "{}\ufffd",
            "{}\ufffc",
            "{}\ue057",
            "{}。",
            "「{}」",
            "{}！",
        ),
        *(
            r"{}\n",
            r"\n{}",
            r"{}\n\n-",
            r"{}.\nThe",
            r"{}\r\n",
            r"{}\\n",
            r"\"{}\"",
            r"so\n{}",
            "{}\\",
        ),
        *(
            "{}\u200b",
            "\u200b{}",
            "\ufeff{}",
            "{}\ufe0f",
            "{}\u00ad",
            "\u202a{}\u202c",
            "{}\u2060",
            "{}\x00",
        ),
        *(
            "{}\u200d",
            "{}\u200c",
            "{}\u034f",
            "{}\U000e0020",
            "{}\u2800",
            "\u3164{}",
            "{}&#8203;",
            "{}&shy;",
        ),
    ],
)
def test_nothing_beside_a_word_hides_it(around: str) -> None:
    words = WordSplitter(CLEAN_STEPS, tuple)(around.format("awful"))
    assert words.count("awful") == 1
    assert all(word.isprintable() or word in "\ufffc\ue057" for word in words)


@pytest.mark.parametrize(
    "sign", ["\u200b", "\u200c", "\u200d", "\u00ad", "\ufeff", "\u2060", "\ufe0f", "\x7f"]
)
def test_nothing_invisible_within_a_word_hides_it(sign: str) -> None:
    split = WordSplitter(CLEAN_STEPS, tuple)
    assert split(f"aw{sign}ful don{sign}'t") == ["awful", "do", "n't"]
    assert split(f"an {sign} empty") == ["an", "empty"]


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("❤\ufe0f", "❤"),
        ("👍🏽", "👍"),
        ("☺\ufe0f", "☺"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴"),
        ("‼\ufe0f", "‼"),
    ],
)
def test_an_emoji_is_the_word_that_its_twin_is(text: str, twin: str) -> None:
    assert WordSplitter(CLEAN_STEPS, tuple)(text) == [twin]


def test_every_emoji_is_a_word_of_its_own() -> None:
    split = WordSplitter(CLEAN_STEPS, tuple)
    pictures = [*range(0x1F300, 0x1F3FB), *range(0x1F400, 0x1F650), *range(0x1F680, 0x1F6FD),
                *range(0x1F900, 0x1FA00), *range(0x2600, 0x27C0)]  # fmt: skip
    for emoji in map(chr, pictures):
        assert split(f"good{emoji}bad") == ["good", emoji, "bad"]


def test_white_space_alone_has_no_words() -> None:
    assert tokens("") == tokens(" \t\n\u00a0") == []


#: One sentence each, so that no splitter of sentences is needed.
HARD = """\
I can't say it wasn't the best "thriller" I've seen since '98.
They're Tom's parents' friends, aren't they?
She'd said: "Don't you dare!", but he'd already gone...
It cost $1,299.99 (plus 7.5% tax) at 10:30pm, didn't it?
'Twas the night; 'tis a pity, isn't it?
I cannot recommend this; you're gonna wanna return it.
Gimme a break -- lemme tell you: it's 100% junk!
The so-called "must-have" gadget/toy broke after 2-3 weeks.
Dr. Smith vs. Mr. Jones: a 5-star, must-see movie!!!
WOW!! I LOVE IT!!! WHY?!?! BECAUSE IT'S GREAT.
The plot (what there was of it) [sic] was {awful}; the acting, worse.
Rock 'n' roll ain't dead, y'all.
He said, "She said, 'no way.'"
Email me @ home or call #5; AT&T won't mind & neither will I.
A 3.5" disk, a 27" TV and 6' of cable for <$20>.
Don't "fix" what ain't broke--it's that simple.
The U.S. version isn't as good as the U.K. one.
I'd've bought 2, but they'd've cost too much
It's the dogs' bowl, James' bowl and the Joneses' bowl.
Great value: 10/10, A+, would buy again :)
"Quoted at the start" and then "quoted at the end"
Well... I guess... maybe.. not....
The film's over-the-top, laugh-out-loud, don't-miss ending!
Ph.D. students, M.D.s and the like; etc., etc.
El libro costó 12,50 euros, señor.
L'été d'Amélie n'est pas fini, qu'en dites-vous?
Was it worth it? No; it's a waste of $$$.
1,000 people can't be wrong, can they; 2:1 odds.
The 1980's weren't the '80s' best decade.
one*two*three ~ 50 = x + y ^ 2 | z \\ w
(((nested))) [[brackets]] {{braces}}
He's, she's; it'll, we'll: I'm, you've.
""".splitlines()


def test_agreement_with_nltk_on_hard_sentences() -> None:
    destructive = pytest.importorskip("nltk.tokenize.destructive")
    split = destructive.NLTKWordTokenizer()
    same = count = 0
    for sentence in HARD:
        theirs, ours = split.tokenize(sentence), tokens(sentence)
        matcher = difflib.SequenceMatcher(None, theirs, ours, autojunk=False)
        same += sum(block.size for block in matcher.get_matching_blocks())
        count += len(theirs) + len(ours)
    assert 2 * same / count >= 0.99


@pytest.mark.long
@pytest.mark.parametrize("name", ["amazon", "imdb"])
def test_agreement_with_nltk_on_reviews(name: str, real_data: Path) -> None:
    pytest.importorskip("nltk")
    benchmark = importlib.import_module("tokenizer")
    file = real_data / name / "train.ft.txt.bz2"
    f1, _ = benchmark.agreement(file, reviews=300, held_out=1000)
    assert f1 >= benchmark.MIN_F1


SIGNS = [
    *"aZé7.,:;'`\"“’«¡¿!?-—()[]{}<>&%$#@*/_…~+\u0301ñ\\😡🏽🇪•。\u200b\ufe0f\ufffd",
    *"<url> n't 's ' '' `` cannot gonna 'tis Mr. ... -- U.S.".split(),
]
pieces = st.text().map(lambda text: "".join(text.split())) | st.lists(
    st.sampled_from(SIGNS), max_size=30
).map("".join)


@given(pieces)
def test_a_piece_loses_nothing(piece: str) -> None:
    words = split_piece(piece)
    assert all(words)
    unquoted = re.compile("[\"'`]")  # only straight quotes are rewritten
    assert unquoted.sub("", "".join(words)) == unquoted.sub("", piece)
    assert bool(words) == bool(piece)


@given(st.text() | st.lists(st.sampled_from([*SIGNS, " "])).map("".join))
def test_no_token_holds_white_space(text: str) -> None:
    assert not any(token.isspace() or " " in token for token in tokens(text))


@given(st.text() | st.lists(st.sampled_from([*SIGNS, " ", "www.x.com", "&nbsp;"])).map("".join))
def test_a_text_s_words_are_those_of_its_cleaned_pieces(text: str) -> None:
    pieces = cleaner(CLEAN_STEPS)(text).split()
    expected = [word for piece in pieces for word in split_piece(piece)]
    if max(map(len, pieces), default=0) <= MAX_PIECE_CHARACTERS:
        assert WordSplitter(CLEAN_STEPS, tuple)(text) == expected


@given(st.lists(st.sampled_from("a b c don't x's www.a.com <br>".split())), st.integers(1, 900))
def test_emptying_the_cache_changes_no_result(parts: list[str], room: int) -> None:
    text = " ".join(parts)
    expected = WordSplitter(CLEAN_STEPS, tuple)(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treebank, "MAX_CACHE_BYTES", room)
        split = WordSplitter(CLEAN_STEPS, tuple)
        assert split(text) == split(text) == expected
        assert len(split._cache) == 1 or split._cache.size_bytes <= room


@pytest.mark.parametrize("kind", CACHE_KINDS)
@pytest.mark.parametrize("derive", [list, lambda words: list(map(len, words))])
def test_the_cache_is_bounded_by_bytes(
    kind: str, derive: Callable[[list[str]], Sequence[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 200_000
    monkeypatch.setattr(treebank, "MAX_CACHE_BYTES", limit)
    split = WordSplitter(CLEAN_STEPS, derive)
    tracemalloc.start()
    try:
        for piece in distinct_pieces(kind, 2_000):
            split.of_piece(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert limit / 10 < peak < 1.5 * limit


def test_each_piece_is_split_once() -> None:
    seen: list[list[str]] = []

    def derive(words: list[str]) -> list[str]:
        seen.append(words)
        return words

    split = WordSplitter(("lower",), derive)
    assert split("So so SO good") == split("So so SO good") == ["so", "so", "so", "good"]
    assert len(seen) == 4


def test_a_very_long_piece_is_divided_and_not_remembered() -> None:
    split = WordSplitter(("lower",), tuple)
    long = "QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 1000
    words = split(f"so {long} so")
    assert "".join(words[1:-1]) == long.lower()
    assert max(map(len, words)) == MAX_PIECE_CHARACTERS
    assert list(split._cache) == ["so"]


def test_html_is_cleaned_before_the_split_and_the_rest_after() -> None:
    # only html may write spaces
    assert next(iter(STEPS)) == "html"
    assert WordSplitter(("html",), tuple)("a&#32;b<br/>c") == ["a", "b", "c"]
