"""The interactive page: one HTML file in which the reader steps a network through a sentence.

The file contains the weights and computes in the browser, without a server or a connection. From a
sentence to ids it goes by `sentir.text.javascript`. The other parts are in ``web/``::

    page.html    the frame: headings, controls, empty drawings
    page.css     the style
    texts.json   every text, by language
    cell.js      the LSTM's step, as in `sentir.nn.cells`
    scene.js     the drawings
    view.js      what is shown for a state of the page
    page.js      the state of the page, and the reader's actions
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from torch import Tensor, nn

from sentir.bundle import Bundle
from sentir.errors import UsageError
from sentir.nn.cells import weights_of
from sentir.nn.recurrent import RecurrentLayer
from sentir.nn.restore import restore_classifier
from sentir.synthetic.reviews import LANGUAGES
from sentir.text.javascript import clean_steps, tokenizer_rules, tokenizer_script, words
from sentir.text.tokenizer import WordTokenizer

#: In the order in which the page contains them, after the tokenizer.
SCRIPTS = ("cell.js", "scene.js", "view.js", "page.js")
#: The page has one lane per unit.
MAX_UNITS = 32
#: 8 MB of weights become 11 MB of base64 text.
MAX_WEIGHTS = 2_000_000
#: The settings of a network that consists of one LSTM, as the page computes it.
SHOWABLE: Mapping[str, object] = {
    "cell": "lstm",
    "num_layers": 1,
    "bidirectional": False,
    "pooling": "last",
    "embedding_skip": False,
    "bigram_buckets": 0,
    "ngram_buckets": 0,
}
#: Characters of the data that are written as escapes.
_ESCAPED = re.compile(r"[<\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TRAIN = (
    "train one with --cell lstm --num-layers 1 --no-bidirectional --pooling last "
    "--no-embedding-skip --bigram-buckets 0 --ngram-buckets 0 --hidden-size 8 --embedding-dim 8 "
    "--tokenizer word --max-vocab-size 20000"
)

#: Example sentences: a negation, two contrasts, somebody else's opinion and a plain sentence.
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "I can't say that the film was awful.",
        "Although the acting was brilliant, in the end the film was boring.",
        "The service was terrible, but I can only say that the restaurant was wonderful.",
        "My sister swears that the hotel was wonderful, but I found it disappointing.",
        "The film was not good.",
    ),
    "es": (
        "No puedo decir que la película fuera mala.",
        "Aunque la banda sonora fue brillante, al final la película resultó aburrida.",
        "El servicio fue pésimo, pero solo puedo decir que el restaurante fue maravilloso.",
        "Mi hermana jura que el hotel fue maravilloso, pero me pareció decepcionante.",
        "La película no fue buena.",
    ),
}

#: Experiments with the small networks: with a gate of all units shut at a word, the negation is
#: not read, or is forgotten.
EXPERIMENTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "en": (
        {"text": "The film was not good.", "word": "not", "gate": "input"},
        {"text": "I can't say that the film was awful.", "word": "that", "gate": "forget"},
    ),
    "es": (
        {"text": "La película no fue buena.", "word": "no", "gate": "input"},
        {"text": "No diría que el libro es bueno.", "word": "que", "gate": "forget"},
    ),
}


def network_data(bundle: Bundle, language: str, *, where: str = "page") -> dict[str, Any]:
    """The network as the page computes with it, as plain data.

    Args:
        bundle: the network and its tokenizer.
        language: of the sentences it reads.
        where: the name of the network in an error.

    Raises:
        UsageError: the page cannot show this network; the message says how to train one.
    """
    _check(bundle, where)
    tokenizer, model = bundle.tokenizer, restore_classifier(bundle)
    layer = model.layers[0]
    assert isinstance(layer, RecurrentLayer)
    assert isinstance(layer.forward_rnn, nn.LSTM)
    weights = weights_of(layer.forward_rnn)
    accuracy = bundle.metrics.get("validation", {}).get("accuracy")
    return {
        "language": language,
        "labels": list(bundle.labels.names),
        "accuracy": accuracy,
        "synthetic": bundle.synthetic,
        "clean": clean_steps(tokenizer),
        "words": words(tokenizer),
        "max_length": bundle.config.text.max_length,
        "inputs": bundle.config.model.embedding_dim,
        "units": bundle.config.model.hidden_size,
        "weights": {
            "embedding": _packed(model.embedding.weight),
            "input": _packed(weights.input_GE),
            "hidden": _packed(weights.hidden_GH),
            "input_bias": _packed(weights.input_bias_G),
            "hidden_bias": _packed(weights.hidden_bias_G),
            "head": _packed(model.head.weight),
            "head_bias": _packed(model.head.bias),
        },
    }


def _check(bundle: Bundle, where: str) -> None:
    model = bundle.config.model
    settings = {name: getattr(model, name) for name in SHOWABLE}
    other = [f"{name} = {value}" for name, value in settings.items() if value != SHOWABLE[name]]
    if not isinstance(bundle.tokenizer, WordTokenizer):
        other.append(f"tokenizer = {bundle.config.text.tokenizer}")
    if model.hidden_size > MAX_UNITS:
        other.append(f"hidden_size = {model.hidden_size}, more than {MAX_UNITS}")
    count = sum(weight.size for weight in bundle.weights.values())
    if not other and count > MAX_WEIGHTS:
        other.append(f"{count:,} weights, more than {MAX_WEIGHTS:,}")
    if other:
        raise UsageError(
            f"the page cannot show a network of {'; '.join(other)}", where=where, todo=_TRAIN
        )


def _packed(weight: Tensor) -> str:
    """The numbers row by row, as little-endian float32 in base64."""
    return base64.b64encode(weight.detach().cpu().numpy().astype("<f4").tobytes()).decode("ascii")


def render_page(
    networks: Mapping[str, Bundle],
    language: str,
    *,
    examples: Sequence[str] = (),
    experiments: bool = False,
    where: str = "page",
) -> str:
    """The page as HTML; the same networks give the same page.

    Args:
        networks: by language; the page shows that of the reader's language, or the first.
        language: of the page when it opens, ``"en"`` or ``"es"``.
        examples: example sentences; without any, those of `EXAMPLES`.
        experiments: offer `EXPERIMENTS`, which are meant for the small networks.
        where: the name of a network in an error.

    Raises:
        UsageError: there is no such language, or the page cannot show one of the networks.
    """
    if language not in LANGUAGES:
        raise UsageError(
            f"the page does not speak {language!r}", todo=f"use one of {', '.join(LANGUAGES)}"
        )
    data = {
        "language": language,
        "rules": tokenizer_rules(),
        "networks": [network_data(bundle, name, where=where) for name, bundle in networks.items()],
        "examples": {name: list(examples or EXAMPLES[name]) for name in LANGUAGES},
        "experiments": {name: list(EXPERIMENTS[name] if experiments else ()) for name in LANGUAGES},
        "texts": json.loads(_part("texts.json")),
    }
    parts = {
        "language": language,
        "style": _part("page.css"),
        # "<" is escaped: "</script>" inside a text would end the element. So are control
        # characters, keys of `c1_controls`, which no page holds.
        "data": _ESCAPED.sub(
            lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(data, ensure_ascii=False)
        ),
        "script": "\n".join([tokenizer_script(), *map(_part, SCRIPTS)]),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _part("page.html"))


def _part(name: str) -> str:
    return resources.files(__package__).joinpath("web", name).read_text(encoding="utf-8")
