"""The model card: the README of a model on the Hugging Face Hub, with what was measured of it.

Its first lines are metadata that the Hub reads: licence, language, and in ``model-index`` the
figures. It quotes no review; texts are in it only if they were given for it.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentir.bundle import MAX_MESSAGE, Bundle, LanguageBundle
from sentir.config import DEFAULT_PRESET, PRESETS, Config, PretrainConfig, Settings
from sentir.errors import DataError
from sentir.evaluation.metrics import Metrics
from sentir.evaluation.tables import METRICS, format_metric
from sentir.extras import require
from sentir.io.terminal import printable
from sentir.version import __version__

#: The parts of the reviews that figures may be of, in the order of trust.
PARTS = ("test", "validation")
#: The metrics of a language model.
PERPLEXITIES = ("perplexity", "perplexity_forward", "perplexity_backward")
#: The Hub's names of the metrics that it knows.
_HUB_NAME = {"macro_f1": "f1", "auc": "roc_auc"}
_TASKS = {Bundle: ("text-classification", "Sentiment analysis"),
          LanguageBundle: ("text-generation", "Language modelling")}  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What the author of a model says of it.

    Attributes:
        license: the Hub's name of the licence, such as ``mit``.
        language: codes of ISO 639, such as ``en``.
        dataset: what the reviews are called; unset: labelled reviews.
        examples: texts to show with the model's answers.
    """

    license: str
    language: tuple[str, ...] = ()
    dataset: str | None = None
    examples: tuple[str, ...] = ()


def model_card(
    bundle: Bundle | LanguageBundle,
    repository: str,
    facts: CardFacts,
    answers: Sequence[tuple[str, float]] = (),
) -> str:
    """The card, as Markdown with YAML in front.

    Args:
        bundle: the model.
        repository: ``user/model``.
        facts: what the author says.
        answers: label and probability of each of the examples.

    Raises:
        DataError: its metrics are not those of a finished run.
        MissingExtraError: the hub's client, which writes the metadata, is not installed.
    """
    require("a model card", "huggingface_hub")
    try:
        return _card(bundle, repository, facts, answers)
    except (
        DataError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
    ) as error:  # fmt: skip
        raise DataError(
            f"no figures of a finished run ({str(error)[:MAX_MESSAGE]})",
            where="metrics.json",
            todo="train again",
        ) from None


def _card(
    bundle: Bundle | LanguageBundle,
    repository: str,
    facts: CardFacts,
    answers: Sequence[tuple[str, float]],
) -> str:
    from huggingface_hub import ModelCardData

    figures = _figures(bundle)
    data = ModelCardData(
        license=facts.license,
        language=list(facts.language) or None,
        library_name="sentir",
        pipeline_tag=_TASKS[type(bundle)][0],
        tags=["sentir", "sentiment-analysis", bundle.config.model.cell]
        + (["synthetic"] if bundle.synthetic else []),
        model_name=repository.partition("/")[2],
        eval_results=list(_results(bundle, figures, facts)),
    )
    parts = (
        _introduction(bundle, repository),
        _use(bundle, repository),
        _measured(bundle, figures),
        _training(bundle),
        _examples(facts.examples, answers),
    )
    body = "\n".join(line for part in parts for line in part)
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def _figures(bundle: Bundle | LanguageBundle) -> dict[str, dict[str, float]]:
    """The figures of each part that was measured.

    Raises:
        DataError: there are none.
        KeyError, TypeError, ValueError: they are not as `sentir.train` writes them.
    """
    found: dict[str, dict[str, float]] = {}
    for part in PARTS:
        if part not in bundle.metrics:
            continue
        if isinstance(bundle, Bundle):
            metrics = Metrics.from_dict(bundle.metrics[part])
            values = {name: getattr(metrics, name) for name, _, _ in METRICS}
        else:
            values = {name: bundle.metrics[part].get(name) for name in PERPLEXITIES}
        found[part] = {name: float(value) for name, value in values.items() if value is not None}
    if not any(found.values()):
        raise DataError("nothing was measured")
    return found


def _results(
    bundle: Bundle | LanguageBundle, figures: Mapping[str, Mapping[str, float]], facts: CardFacts
) -> Iterator[Any]:
    """The figures as the Hub's ``model-index`` holds them."""
    from huggingface_hub import EvalResult

    task, task_name = _TASKS[type(bundle)]
    kind = "synthetic" if bundle.synthetic else "reviews"
    names = {key: name for key, name, _ in METRICS}
    for part, values in figures.items():
        for name, value in values.items():
            yield EvalResult(
                task_type=task,
                task_name=task_name,
                dataset_type=kind,
                dataset_name=facts.dataset or _kind_of_reviews(bundle),
                dataset_split=part,
                dataset_revision=_identity(bundle, part).get("digest"),
                metric_type=_HUB_NAME.get(name, name),
                metric_name=names.get(name, name.replace("_", " ")),
                metric_value=round(value, 6),
            )


def _identity(bundle: Bundle | LanguageBundle, part: str) -> Mapping[str, Any]:
    """Which reviews a part is of, if the run saved it."""
    data = bundle.metrics.get("data")
    found = data.get(part) if isinstance(data, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _kind_of_reviews(bundle: Bundle | LanguageBundle) -> str:
    kind = "labelled" if isinstance(bundle, Bundle) else "unlabelled"
    return "synthetic reviews" if bundle.synthetic else f"{kind} reviews"


def _introduction(bundle: Bundle | LanguageBundle, repository: str) -> Iterator[str]:
    cell = bundle.config.model.cell.upper()
    yield f"# {repository.partition('/')[2]}"
    yield ""
    if isinstance(bundle, Bundle):
        classes = ", ".join(map(_plain, bundle.labels.names))
        yield f"A recurrent sentiment model ({cell}) of the classes {classes}."
    else:
        yield f"A recurrent language model ({cell}) to train sentiment models from."
    yield ""
    if bundle.synthetic:
        yield (
            "**Trained on synthetic reviews.** Its figures are of synthetic reviews too, and say "
            "nothing about real ones."
        )
        yield ""


def _use(bundle: Bundle | LanguageBundle, repository: str) -> Iterator[str]:
    address = f"hf://{repository}"
    yield "## Use"
    yield ""
    yield "```console"
    yield "pip install 'sentir[hub]'"
    if isinstance(bundle, Bundle):
        yield f'sentir predict {address} "A text."'
        yield f"sentir evaluate {address} your_reviews.csv"
    else:
        yield f'sentir complete {address} "The beginning of a sentence"'
        yield f"sentir train your_reviews.csv --from-lm {address} --output runs/model"
    yield "```"
    yield ""
    yield f"`{address}@REVISION` names a branch, a tag or a commit."
    yield ""


def _measured(
    bundle: Bundle | LanguageBundle, figures: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    yield "## Measured"
    yield ""
    styles = {key: (name, style) for key, name, style in METRICS}
    yield f"| | {' | '.join(figures)} |"
    yield "|---|" + "--:|" * len(figures)
    if isinstance(bundle, Bundle):
        reviews = [f"{Metrics.from_dict(bundle.metrics[part]).examples:,}" for part in figures]
        yield f"| reviews | {' | '.join(reviews)} |"
    for key in dict.fromkeys(name for values in figures.values() for name in values):
        name, style = styles.get(key, (key.replace("_", " "), "share"))
        shown = [format_metric(values.get(key), style) for values in figures.values()]
        yield f"| {name} | {' | '.join(shown)} |"
    yield ""
    if not isinstance(bundle, Bundle):
        return
    part = next(iter(figures))
    metrics = Metrics.from_dict(bundle.metrics[part])
    low, high = (format_metric(limit, "percent") for limit in metrics.accuracy_interval)
    yield (
        f"With 95 % confidence the accuracy on {part} lies from {low} to {high}. "
        "The calibration error is the mean distance between confidence and accuracy in 15 bins."
    )
    yield ""
    yield f"| class | {part} reviews | precision | recall | F1 |"
    yield "|---|--:|--:|--:|--:|"
    for row in metrics.classes:
        yield (
            f"| {_plain(row.name)} | {row.support:,} | {row.precision:.4f} | {row.recall:.4f} "
            f"| {row.f1:.4f} |"
        )
    yield ""


def _training(bundle: Bundle | LanguageBundle) -> Iterator[str]:
    yield "## Training"
    yield ""
    yield "```console"
    yield training_command(bundle)
    yield "```"
    yield ""
    yield f"The files are not part of the model. Sentir {__version__} wrote this card."
    yield ""
    summary = bundle.metrics.get("training_data")
    classes = summary.get("classes") if isinstance(summary, Mapping) else None
    if isinstance(classes, list) and classes:
        yield "| class | training reviews |"
        yield "|---|--:|"
        for row in classes:
            yield f"| {_plain(str(row['name']))} | {int(row['reviews']):,} |"
        yield ""


def training_command(bundle: Bundle | LanguageBundle) -> str:
    """The command that trains with the bundle's settings; files and folders are not known.

    It names the preset from which the fewest settings differ, and these.
    """
    training = bundle.metrics.get("training")
    training = training if isinstance(training, Mapping) else {}
    config: Settings = bundle.config
    if isinstance(config, Config):
        order = sorted(PRESETS, key=lambda name: name != DEFAULT_PRESET)
        preset = min(order, key=lambda name: len(_differences(config, PRESETS[name])))
        words = ["sentir", "train", "REVIEWS", "--preset", preset]
        words += _differences(config, PRESETS[preset])
        if "test" in bundle.metrics:
            words += ["--test", "TEST"]
        if "teachers" in training:
            words += ["--unlabelled", "TEXTS", "--teacher", "MODEL"]
    else:
        words = ["sentir", "pretrain", "REVIEWS", *_differences(config, PretrainConfig())]
    if "from_lm" in training:
        words += ["--from-lm", "LM"]
    return shlex.join([*words, "--output", "RUN"])


def _differences(config: Settings, base: Settings) -> list[str]:
    """The options that turn one configuration into another."""
    options: list[str] = []
    for section, values in config.to_dict().items():
        for name, value in values.items():
            if value == base.to_dict()[section][name]:
                continue
            option = name.replace("_", "-")
            if isinstance(value, bool):
                options.append(f"--{option}" if value else f"--no-{option}")
            else:
                shown = ",".join(value) if isinstance(value, list) else str(value)
                options += [f"--{option}", shown]
    return options


def _examples(texts: Sequence[str], answers: Sequence[tuple[str, float]]) -> Iterator[str]:
    if not texts:
        return
    yield "## Examples"
    yield ""
    yield "| text | answer |"
    yield "|---|---|"
    for text, (label, probability) in zip(texts, answers, strict=True):
        yield f"| {_plain(text)} | {_plain(label)} {probability:.2f} |"
    yield ""


def _plain(text: str) -> str:
    """Text in a table of Markdown, where it is neither markup nor the end of a cell."""
    line = printable(" ".join(text.split()))
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#|!~" else letter for letter in line)
