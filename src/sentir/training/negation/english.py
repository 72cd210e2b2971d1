"""The grammar of negation in English, see `sentir.training.negation.grammar`."""

from __future__ import annotations

from sentir.evaluation.audit.languages import FUNCTION_WORDS
from sentir.training.negation.grammar import Frames, Grammar, Probe, lines

ENGLISH = Grammar(
    function_words=FUNCTION_WORDS["English"],
    negations="not n't never no nothing nobody none without hardly barely nor neither".split(),
    contrast=("but", "yet", "still", "however"),
    subjects=lines("it|it|this|that|the {k}|this {k}|the {k}|my {k}|everything|the whole thing"),
    neutral=Probe(("the", "this", "my"), ("is", "was", "has", "had", "itself")),
    slots={
        "a": Frames(
            drawn=5,
            probe=Probe(
                ("it is", "it was", "it 's", "is very", "was very", "are very", "is so", "was so",
                 "is really", "was really", "they are", "they were", "is just", "was just")
            ),
            keep=lines(
                """{a}|very {a}|really {a}|so {a}|{t} is {a}|{t} was {a}|{t} is very {a}
                |{t} was really {a}|i think {t} is {a}|i found {t} {a}|i would say {t} is {a}
                |i must say that {t} is {a}|a {a} {k}|it is a {a} {k}|this was such a {a} {k}
                |what a {a} {k}|{a} and {a}|{t} has been {a}|{t} looks {a}|{t} feels {a}
                |{t} seems {a}|{t} turned out to be {a}|everything about {t} is {a}
                |there is something {a} about {t}|i ca n't say how {a} {t} is
                |{t} could n't be more {a}|{t} could not have been more {a}
                |i have never seen a more {a} {k}|never have i had such a {a} {k}
                |i have not seen anything so {a}|{t} is nothing but {a}
                |nothing is as {a} as this|no doubt {t} is {a}|there is no doubt that {t} is {a}
                |without a doubt {a}|not only {a} but also {a}|i can not believe how {a} {t} is
                |you ca n't say that {t} is not {a}|nobody can say that {t} is n't {a}
                |i would not say that {t} was not {a}|{t} is as {a} as they say
                |{t} is rather {a}|{t} is quite {a}|{t} is a bit {a}
                |{t} is more {a} than i expected"""
            ),
            turn=lines(
                """not {a}|not {a} at all|not at all {a}|not very {a}|not so {a}|not too {a}
                |not really {a}|not that {a}|really not {a}|never {a}|{t} is not {a}
                |{t} was not {a}|{t} is n't {a}|{t} was n't {a}|{t} was not {a} at all
                |{t} is n't very {a}|{t} was never {a}|{t} is never {a}|{t} has never been {a}
                |{t} has n't been {a}|not a {a} {k}|it is not a {a} {k}|this was n't a {a} {k}
                |it is no {a} {k}|i do n't think {t} is {a}|i do not think that {t} was {a}
                |i did n't find {t} {a}|i ca n't say {t} is {a}|i can not say that {t} was {a}
                |i could n't say it is {a}|i would n't say {t} is {a}
                |i would not say that {t} was {a}|i would n't call {t} {a}
                |i would not call it a {a} {k}|you ca n't call {t} {a}|nobody would call {t} {a}
                |no one could say that {t} is {a}|there is nothing {a} about {t}
                |there was nothing {a} in {t}|there 's nothing {a} here|nothing {a} about it
                |nothing {a}|i have nothing {a} to say about {t}
                |i ca n't find anything {a} about {t}|i could n't find anything {a} in it
                |there is n't anything {a} about {t}|i did not see anything {a} in {t}
                |i found nothing {a} in {t}|nothing about {t} is {a}|none of it was {a}
                |{t} is hardly {a}|{t} is far from {a}|{t} is anything but {a}
                |{t} is by no means {a}|{t} is in no way {a}|neither {a} nor {a}
                |{t} is no longer {a}|{t} is not {a} any more|{t} does n't look {a}
                |{t} did not feel {a}|{t} does not seem {a}|{t} did n't turn out to be {a}
                |no {a} {k}|no {a} surprises|{t} is less {a} than i expected
                |i have seen more {a} ones|it is not {a} or {a}|it is n't as {a} as they say
                |i expected {t} to be {a} , it is not"""
            ),
        ),
        "p": Frames(
            is_exclusive=False,
            probe=Probe(("i am", "i was", "i 'm", "we were", "am very", "be very", "am so")),
            keep=lines(
                """i am {p}|i was {p}|i 'm very {p}|we were {p}|i am so {p} with {t}
                |i was {p} with {t}|you will be {p}|everybody was {p}|{p}|very {p}
                |i could n't be more {p}|i could not have been more {p}|we could n't be more {p}
                |i have never been more {p}|never have i been so {p}|i ca n't say how {p} i am
                |i am {p} , no doubt"""
            ),
            turn=lines(
                """i am not {p}|i was not {p}|i 'm not {p} at all|i was n't {p}|we were not {p}
                |we were n't {p} with {t}|you wo n't be {p}|you will not be {p}|nobody was {p}
                |no one will be {p}|i would not be {p} with {t}|i ca n't say that i am {p}
                |i can not say i was {p}|i have never been {p} with {t}|i have n't been {p} once
                |not {p}|never {p}|none of us was {p}|i do n't think you will be {p}"""
            ),
        ),
        "n": Frames(
            drawn=2,
            probe=Probe(("no", "any", "a", "an", "the", "of", "this", "these", "some", "total"),
                  (".", ",", "!", "with", "in", "and", "when", "at", "so")),
            keep=lines(
                """{n}|what a {n}|a {n}|it is a {n}|this is a {n}|{t} is a {n}|a real {n}
                |such a {n}|i had {n} with {t}|nothing but {n}|{t} is nothing but {n}
                |it was a {n} for me|there is {n}|not just a {n}|{n} and {n}
                |there is no end to the {n}|i have never had so much {n}|not without {n}"""
            ),
            turn=lines(
                """no {n}|no {n} at all|no {n} here|no {n} so far|no {n} with {t}
                |there is no {n}|there was no {n}|there is n't any {n}|there were n't any {n}
                |without {n}|without any {n}|without a {n}|i had no {n} with {t}|i have no {n}
                |i have not had any {n}|i have n't had a {n}|i never had a {n}
                |i never had any {n}|we did n't have any {n}|you will not have any {n}
                |it is not a {n}|{t} is not a {n}|not a {n}|not a single {n}|this was n't a {n}
                |hardly any {n}|free of {n}|i can not call it a {n}|i would n't say it is a {n}
                |i found no {n}|i did not find any {n}|{t} has no {n}|{t} does n't have any {n}
                |zero {n}|i do n't think it is a {n}|neither {n} nor {n}"""
            ),
        ),
        "d": Frames(
            probe=Probe(("i", "we", "they", "really", "just", "and"),
                  ("it", "this", "these", "them", "that", "the", "my")),
            keep=lines(
                """i {d} it|i {d} {t}|we {d} {t}|i really {d} it|everybody {d} it|they {d} it"""
            ),
            turn=lines("i never {d} it|nobody {d} it|no one {d} {t}|none of us {d} it"),
        ),
        "v": Frames(
            drawn=2,
            probe=Probe(("n't", "not", "will", "would", "to", "you", "'ll", "'d"),
                  ("it", "this", "these", "them", "that", "the", "my")),
            keep=lines(
                """i {v} it|i {v} {t}|i really {v} it|you will {v} it|you 'll {v} {t}|we {v} it
                |i would {v} {t}|everybody will {v} it|i will always {v} it|they {v} it
                |it is impossible not to {v} it|i ca n't help but {v} it|who would not {v} it
                |i could n't {v} it more|you ca n't not {v} it|there is much to {v} about {t}
                |there is no one who does n't {v} it|i must say i {v} it"""
            ),
            turn=lines(
                """i do n't {v} it|i do not {v} {t}|i did n't {v} {t}|i did not {v} it
                |you wo n't {v} it|you will not {v} it|i would n't {v} {t}|i would never {v} it
                |i ca n't {v} it|i can not {v} {t}|i could not {v} it|nobody will {v} it
                |no one would {v} {t}|i never {v} it|there is nothing to {v} about {t}
                |nothing to {v} here|i do n't think you will {v} it|we did not {v} it at all
                |i see no reason to {v} it|i can not say that i {v} it|i have yet to {v} it"""
            ),
        ),
        "q": Frames(
            probe=Probe(
                ("n't", "not", "will", "would", "to", "does"), (".", "!", ",", "at", "after")
            ),
            keep=lines(
                """{t} will {q}|it will {q}|they {q}|they always {q}|i will {q}
                |it could not but {q}|never does it not {q}|it does {q}"""
            ),
            turn=lines(
                """{t} does not {q}|{t} does n't {q}|it did n't {q}|it did not {q}|it wo n't {q}
                |it will not {q}|it would not {q}|they do n't {q}|it does not {q} at all
                |i ca n't {q}|i can not {q}|we could n't {q}|you wo n't {q}|nothing will {q}
                |it will never {q}|{t} never did {q}|not once did it {q}"""
            ),
        ),
        "c": Frames(
            is_exclusive=False,
            probe=Probe(("is", "was", "are", "a", "far", "much", "even", "were"), ("than",)),
            keep=lines(
                """{c} than i expected|{t} is {c} than i thought
                |{t} is much {c} than the old one|it could not be {c}|it could n't be {c}
                |i could n't be {c}|nothing could be {c}|i have never had a {c} {k}
                |i have never seen a {c} one|{c} than any other|you wo n't find a {c} {k}
                |you can not get a {c} one|there is no {c} {k}"""
            ),
            turn=lines(
                """the old one was {c}|the other one is much {c}|all the others are {c}
                |the first one was {c}|i have seen {c} ones|there are {c} {k} than this
                |it is not {c} than the old one|it is n't any {c}|not {c} than any other
                |the original was {c}|you can find a {c} one"""
            ),
        ),
    },
    joins=lines(
        """{0} , but {1}|{0} but {1}|although {0} , {1}|though {0} , {1}|{1} , although {0}
        |{1} even though {0}|{0} . however , {1}|{0} ; still , {1}|{0} , yet {1}|{0} . but {1}
        |while {0} , {1}|at first {0} . now {1}|i thought {0} , but {1}
        |i had heard that {0} , but {1}|some say that {0} . {1}|people say {0} , but {1}
        |not that {0} ; {1}"""
    ),
    also=lines("{0} and {1}|{0} . {1}|{0} , {1}|{0} ; {1}|{0} , and {1}|{1} , because {0}"),
    openings=lines("to be honest|well|all in all|in the end|overall|for me|so far|i think"),
    closings=lines("at all|for me|to be honest|so far|i think|in the end|for the price|overall"),
)  # fmt: skip
