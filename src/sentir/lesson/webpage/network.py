"""The small networks of the lesson's page: one of six units for each language, that come along.

They were trained by this package on reviews it makes up itself, and lie in ``networks/`` as
bundles like any other. To make them anew, in about a minute each::

    python -m sentir.lesson.webpage.network

The same seed gives the same network on the same machine; another processor may round otherwise.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from sentir.bundle import Bundle, load_bundle, save_bundle
from sentir.config import Config
from sentir.errors import UsageError
from sentir.synthetic.reviews import LANGUAGES, sample_reviews
from sentir.synthetic.short_sentences import short_sentences
from sentir.training.callbacks import Callback
from sentir.training.run import train

#: As small as reads the made-up reviews without fault, so that every unit can be looked at.
SMALL = Config().override(
    {
        "cell": "lstm",
        "max_vocab_size": 1000,
        "max_length": 200,
        "embedding_dim": 6,
        "embedding_dropout": 0.0,
        "embedding_init": "random",
        "embedding_skip": False,
        "ngram_buckets": 0,
        "hidden_size": 6,
        "bidirectional": False,
        "pooling": "last",
        "head_dropout": 0.0,
        "epochs": 12,
        "learning_rate": 0.01,
        "ema_decay": 0.99,
        "patience": 0,
        "device": "cpu",
        "precision": "float32",
    }
)
#: Reviews it learns from: those of the sample, and plain sentences.
REVIEWS, SENTENCES = 20_000, 5_000
#: Of the weights: of two tried, the one whose answer moves at the words one would expect.
SEEDS = {"en": 1, "es": 0}
#: Not those of the sample's own parts, so that `sample` and `sample:test` are new to it.
DATA_SEED = 5


def small_network(language: str) -> Bundle:
    """The network of a language that comes along.

    Raises:
        UsageError: no network of that language is there.
    """
    if language not in LANGUAGES:
        todo = f"take one of {', '.join(LANGUAGES)}"
        raise UsageError(f"no network reads {language!r}", todo=todo)
    with resources.as_file(resources.files(__package__).joinpath("networks", language)) as folder:
        return load_bundle(folder)


def train_network(
    language: str,
    folder: Path,
    *,
    config: Config = SMALL,
    reviews: int = REVIEWS,
    sentences: int = SENTENCES,
    callbacks: Sequence[Callback] = (),
) -> Bundle:
    """Train the network of a language and save it as a bundle in `folder`.

    Args:
        language: ``"en"`` or ``"es"``.
        folder: the bundle's; one that stands there is replaced.
        config: of the network and its training.
        reviews: made-up reviews to learn from.
        sentences: plain sentences to learn from.
        callbacks: told of every event.

    Raises:
        UsageError: the language is another one.
    """
    made = [
        *sample_reviews(reviews, language=language, seed=DATA_SEED),
        *short_sentences(sentences, language=language, seed=DATA_SEED),
    ]
    config = config.override({"seed": SEEDS[language]})
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / f"{language}.ft.txt"
        file.write_text("".join(f"__label__{label} {text}\n" for label, text in made), "utf-8")
        run = train(file, Path(place) / "run", config=config, callbacks=callbacks)
    bundle = dataclasses.replace(run.bundle, synthetic=True)
    save_bundle(bundle, folder)
    return bundle


def main() -> None:
    """Make the networks that come along anew, in the place where they lie."""
    from rich.console import Console

    from sentir.training.callbacks import ProgressBar

    for language in LANGUAGES:
        bar = ProgressBar(Console(stderr=True))
        try:
            train_network(language, Path(__file__).parent / "networks" / language, callbacks=[bar])
        finally:
            bar.close()


if __name__ == "__main__":
    main()
