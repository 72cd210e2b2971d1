"""Usual names of the columns of a review's text, its title and its label.

They are those of shops (Trustpilot, Shopify and Judge.me, Amazon), of app stores (Google Play, App
Store), of TripAdvisor, Yelp and IMDB, and of public data sets, in English and Spanish.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence


def normalize_name(name: str) -> str:
    """The name in lower case without accents, spaces or punctuation: ``Reseña_`` is ``resena``."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _of_review(*words: str) -> tuple[str, ...]:
    """Each word with "review" before it, which says most, and alone: ``reviewtitle``, ``title``."""
    return tuple(before + word for before in ("review", "reviews", "") for word in words)


def _de_resena(*words: str) -> tuple[str, ...]:
    """The same in Spanish: ``titulodelaresena``, ``tituloresena``, ``titulo``."""
    things = ("resena", "opinion", "comentario", "valoracion")
    of_thing = (
        word + of + thing for word in words for of in ("dela", "del", "de", "") for thing in things
    )
    return (*of_thing, *words)


#: Names of the text in the form of `normalize_name`, the likelier first.
TEXT_NAMES = (
    *_of_review("text", "body", "content", "comment", "message"),
    *("reviewdetail", "reviewdescription", "review", "reviews", "comments", "commentcontent"),
    *_de_resena("texto", "contenido", "cuerpo"),
    *("resena", "comentario", "opinion", "resenas", "comentarios", "opiniones"),
    *("feedback", "sentence", "critica", "frase", "mensaje", "document", "tweet"),
)
#: Names of a title, which is a part of the text where a text is there too.
TITLE_NAMES = (
    *_of_review("title", "headline", "summary", "subject", "heading"),
    *_de_resena("titulo", "titular", "asunto", "encabezado", "resumen"),
)
LABEL_NAMES = (
    *_of_review("label", "sentiment", "polarity", "stars", "starrating", "rating", "score"),
    *_of_review("overallrating", "ratingvalue", "class"),
    *_de_resena("etiqueta", "sentimiento", "polaridad", "estrellas", "puntuacion", "calificacion"),
    *("clase", "valoracion", "numerodeestrellas", "puntaje", "overall", "ratings", "target"),
)
#: Words of columns that are about something else than the review itself, whatever stands beside.
_DECOYS = {
    *("id", "ids", "uuid", "key", "count", "counts", "num", "number", "total", "votes", "vote"),
    *("helpful", "helpfulness", "useful", "date", "time", "timestamp", "millis", "url", "link"),
    *("image", "user", "author", "name", "reviewer", "language", "lang", "reply", "response"),
    *("product", "average", "avg", "mean", "confidence", "version", "fecha", "autor", "usuario"),
    *(
        "nombre",
        "idioma",
        "respuesta",
        "numero",
        "total",
        "promedio",
        "producto",
        "votos",
        "source",
    ),
}
#: Columns whose names are compared letter by letter, which is slow.
_COMPARED = 100
_WORDS = re.compile(r"[^\W\d_]+", re.UNICODE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def usual_columns(names: Iterable[str], usual: Sequence[str]) -> list[str]:
    """The columns that have a usual name, the likelier first."""
    rank = {name: place for place, name in reversed(list(enumerate(usual)))}
    found = [name for name in dict.fromkeys(names) if normalize_name(name) in rank]
    return sorted(found, key=lambda name: rank[normalize_name(name)])


def match_column(name: str, names: Sequence[str]) -> str | None:
    """The column of that name; else the only one of that name but for case, accents and spaces."""
    if name in names:
        return name
    alike = {other for other in names if normalize_name(other) == normalize_name(name)}
    return alike.pop() if len(alike) == 1 and normalize_name(name) else None


def nearest_column(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The column whose name is nearest to a usual one; None if none is near.

    A name that holds a usual one as a word is nearest (``airline_sentiment``). Counts, identifiers
    and the like are near to nothing (``rating_count``, ``label_id``).
    """
    words = {name: _words(name) for name in names[:_COMPARED]}
    candidates = [name for name in words if not _DECOYS & {*words[name]}]
    for name in candidates:
        if any(word in usual for word in words[name]):
            return name
    near = [
        (difflib.SequenceMatcher(None, normalize_name(name), match[0]).ratio(), name)
        for name in candidates
        if (match := difflib.get_close_matches(normalize_name(name), usual, n=1, cutoff=0.7))
    ]
    return max(near, default=(0.0, None), key=lambda pair: pair[0])[1]


def _words(name: str) -> list[str]:
    return [normalize_name(word) for word in _WORDS.findall(_CAMEL.sub(" ", name))]
