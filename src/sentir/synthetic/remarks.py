"""Remarks as people type them about a purchase: "Excellent product, it arrived fast."

Readers of the lesson's web page type such sentences, which neither the synthetic reviews nor the
short sentences contain. `with_unknown_words` teaches a network what it cannot know: an unknown word
says nothing, and a sentence of unknown words leaves the answer open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from random import Random

from sentir.errors import UsageError

#: Negative and positive remarks by language, separated by ``|``.
_REMARKS: Mapping[str, tuple[str, str]] = {
    "en": (
        "terrible product|awful quality|poor quality|bad service|very bad experience|do not buy it"
        "|don't buy this|it broke after two days|it stopped working|it does not work"
        "|it doesn't work"
        "|it never worked|it arrived late|it arrived broken|it never arrived|waste of money"
        "|a waste of time|not worth it|not worth the money|i want my money back|i returned it"
        "|i regret buying it|i would not recommend it|i don't recommend it|very disappointed"
        "|what a disappointment|it is useless|too expensive|too small|it smells bad|rude staff"
        "|the worst|the worst purchase ever|never again|i hate it|i hated it|it is a scam"
        "|nothing works|cheap and ugly|one star|slow delivery|it looks cheap|not good at all"
        "|i don't like it|i did not like it|it is bad|the food was cold|dirty room"
        "|the screen is dead",
        "excellent product|great product|good quality|great quality|very good service"
        "|great experience"
        "|buy it|it works perfectly|it works very well|it works great|works fine|it arrived fast"
        "|it arrived quickly|it arrived on time|fast delivery|worth it|worth the money|great value"
        "|money well spent|i would buy it again|i recommend it|highly recommended"
        "|i recommend it to all"
        "|very happy with it|very satisfied|i am happy|i love it|i loved it|my kids love it"
        "|it is perfect|perfect size|easy to use|friendly staff|the best|the best purchase ever"
        "|better than expected|it exceeded my expectations|exactly what i wanted|as described"
        "|five stars|beautiful and cheap|very comfortable|i like it|i liked it a lot|it is good"
        "|nice and clean|delicious food|thank you|no complaints|no problems at all|very nice",
    ),
    "es": (
        "pésimo producto|mal producto|mala calidad|mal servicio|muy mala experiencia|no lo compren"
        "|no compren esto|se rompió a los dos días|dejó de funcionar|no funciona|nunca funcionó"
        "|llegó tarde|llegó roto|llegó rota|nunca llegó|llegó dañado|tiré el dinero|dinero tirado"
        "|una pérdida de tiempo|no vale la pena|no lo vale|quiero mi dinero|lo devolví"
        "|lo devolvería"
        "|me arrepiento de la compra|no lo recomiendo|no la recomiendo|no recomiendo nada"
        "|muy decepcionado|muy decepcionada|qué decepción|no sirve|no sirve para nada|muy caro"
        "|demasiado caro|demasiado pequeño|huele mal|personal grosero|lo peor|la peor compra"
        "|nunca más|lo odio|la odio|una estafa|una porquería|nada funciona|barato y feo"
        "|una estrella"
        "|envío lento|se ve barato|nada bueno|no me gusta|no me gustó|no me gustó nada|es malo"
        "|muy malo|la comida llegó fría|habitación sucia|la pantalla no enciende|un asco",
        "excelente producto|buen producto|gran producto|producto excelente|buena calidad"
        "|muy buena calidad|excelente calidad|buen servicio|excelente servicio"
        "|muy buena experiencia"
        "|cómprenlo|funciona perfecto|funciona perfectamente|funciona muy bien|llegó rápido"
        "|llegó muy rápido|llegó a tiempo|llegó antes|envío rápido|entrega rápida|vale la pena"
        "|lo vale|vale cada peso|dinero bien gastado|lo volvería a comprar|lo recomiendo"
        "|la recomiendo|muy recomendable|lo recomiendo a todos|muy contento|muy contenta"
        "|muy satisfecho|muy satisfecha|estoy feliz|me encanta|me encantó|a mis hijos les encanta"
        "|es perfecto|tamaño perfecto|fácil de usar|personal amable|lo mejor|la mejor compra"
        "|mejor de lo esperado|superó mis expectativas|justo lo que quería|tal como se describe"
        "|cinco estrellas|bonito y barato|muy cómodo|muy cómoda|me gusta|me gustó|me gustó mucho"
        "|es bueno|muy bueno|muy bien|comida deliciosa|muchas gracias|sin quejas|sin problemas",
    ),
}
#: Joins of two remarks of one polarity, and of a conceded one ``{0}`` with the one that decides.
_JOINS: Mapping[str, tuple[str, str]] = {
    "en": (
        "{0}, {1}|{0} and {1}|{0}. {1}|{0}! {1}",
        "{0}, but {1}|{0} but {1}|although {0}, {1}",
    ),
    "es": (
        "{0}, {1}|{0} y {1}|{0}. {1}|{0}! {1}",
        "{0}, pero {1}|{0} pero {1}|aunque {0}, {1}",
    ),
}
#: The share of texts that get unknown words, and the most of them in one text.
_TOUCHED, _MOST = 0.3, 4
#: One text in so many is made of unknown words, with a label by chance.
_NONSENSE = 8


def remarks(count: int, *, language: str, seed: int = 0) -> Iterator[tuple[str, str]]:
    """A stream of remarks ``(label, text)`` with alternating labels.

    Args:
        count: number of texts of one to three remarks.
        language: ``"en"`` or ``"es"``.
        seed: random seed.

    Raises:
        UsageError: there are no remarks in that language.
    """
    if language not in _REMARKS:
        raise UsageError(f"no remarks in {language!r}", todo=f"use one of {', '.join(_REMARKS)}")
    random = Random(seed)
    alike, opposed = (joins.split("|") for joins in _JOINS[language])
    said = [texts.split("|") for texts in _REMARKS[language]]
    for number in range(count):
        polarity = number % 2
        text = random.choice(said[polarity])
        shape = random.random()
        if shape < 0.45:
            text = random.choice(alike).format(random.choice(said[polarity]), text)
        elif shape < 0.65:
            text = random.choice(opposed).format(random.choice(said[1 - polarity]), text)
        text = text[0].upper() + text[1:] + random.choice(("", ".", ".", "!"))
        yield ("negative", "positive")[polarity], text


def with_unknown_words(rows: Iterable[tuple[str, str]], seed: int = 0) -> Iterator[tuple[str, str]]:
    """The texts, some with words that occur once, and some texts of little else.

    A vocabulary of words seen twice or more has no id for these words.

    Args:
        rows: label and text.
        seed: random seed.
    """
    random, made = Random(seed), 0

    def unknown() -> str:
        nonlocal made
        made += 1
        return f"unknownword{made:07d}".translate(_LETTERS)

    for number, (label, text) in enumerate(rows):
        words = text.replace("<br />", "<br/>").split()  # no word comes into a tag
        if random.random() < _TOUCHED:
            for _ in range(random.randint(1, _MOST)):
                words.insert(random.randint(0, len(words)), unknown())
        yield label, " ".join(words)
        if number % _NONSENSE == 0:
            nonsense = [unknown() for _ in range(random.randint(1, 8))]
            yield random.choice(("negative", "positive")), " ".join(nonsense)


#: Digits would all become 0, and the words one.
_LETTERS = str.maketrans("0123456789", "abcdefghij")
