"""The small networks of the interactive page: six units, one network per language.

They were trained on synthetic reviews and are stored as bundles in ``networks/``. To train them
again, about a minute each::

    python -m sentir.lesson.webpage.network

The same seed gives the same network on the same machine; another processor may round differently.
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
from sentir.synthetic.remarks import remarks, with_unknown_words
from sentir.synthetic.reviews import LANGUAGES, sample_reviews
from sentir.synthetic.short_sentences import short_sentences
from sentir.training.callbacks import Callback
from sentir.training.run import train

#: The smallest size that answers the synthetic reviews reliably, so that every unit can be shown.
SMALL = Config().override(
    {
        "cell": "lstm",
        # As the networks that ship were trained; their reviews have no ratings in figures.
        "clean": ["nfc", "html", "quotes", "url", "lower", "digits"],
        "max_vocab_size": 1000,
        "max_length": 200,
        "embedding_dim": 6,
        "embedding_dropout": 0.0,
        "embedding_init": "random",
        "embedding_skip": False,
        "embedding_skip_dropout": 0.2,
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
#: Training data: synthetic reviews, short sentences, and remarks.
REVIEWS, SENTENCES, REMARKS = 20_000, 5_000, 6_000
#: Seeds of the weights.
SEEDS = {"en": 0, "es": 0}
#: Differs from the seeds of `sample` and `sample:test`, which the networks have not seen.
DATA_SEED = 5


def small_network(language: str) -> Bundle:
    """The small network of a language.

    Raises:
        UsageError: there is none.
    """
    if language not in LANGUAGES:
        todo = f"use one of {', '.join(LANGUAGES)}"
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
    said: int = REMARKS,
    callbacks: Sequence[Callback] = (),
) -> Bundle:
    """Train the network of a language and save it as a bundle in `folder`.

    Args:
        language: ``"en"`` or ``"es"``.
        folder: of the bundle; an existing bundle is replaced.
        config: of the network and its training.
        reviews: number of synthetic reviews.
        sentences: number of short sentences.
        said: number of remarks.
        callbacks: called with every event.

    Raises:
        UsageError: another language.
    """
    rows = [
        *sample_reviews(reviews, language=language, seed=DATA_SEED),
        *short_sentences(sentences, language=language, seed=DATA_SEED),
        *remarks(said, language=language, seed=DATA_SEED),
    ]
    rows = list(with_unknown_words(rows, DATA_SEED))
    config = config.override({"seed": SEEDS[language]})
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / f"{language}.ft.txt"
        file.write_text("".join(f"__label__{label} {text}\n" for label, text in rows), "utf-8")
        run = train(file, Path(temporary) / "run", config=config, callbacks=callbacks)
    bundle = dataclasses.replace(run.bundle, synthetic=True)
    save_bundle(bundle, folder)
    return bundle


def main() -> None:
    """Train both networks again, in place."""
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
