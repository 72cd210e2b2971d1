"""Labels of reviews that a trained model goes on learning from: its classes, and new ones.

The classes that it knows keep their numbers; new ones come after them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentir.errors import DataError
from sentir.io.label_tally import LabelTally
from sentir.io.labels import (
    MAX_CLASSES,
    LabelScheme,
    RawLabel,
    covers,
    files_of,
    join_labels,
    numbers_first,
    parse_labels,
)


def extend_scheme(
    known: LabelScheme, counts: Mapping[str, RawLabel], labels: str = "auto"
) -> tuple[LabelScheme, dict[str, DataError]]:
    """The scheme of new reviews, and an error for each label that is taken for a mistake.

    A label that the model does not know is a new class, unless nearly all reviews have labels that
    it knows: then it is a mistake, as in `LabelScheme.resolve`.

    Args:
        known: the scheme of the model.
        counts: the raw labels of the new reviews.
        labels: ``auto``; ``stars``; the labels ``a,b,c``; or ``bad=negative,fair=neutral``, where
            a name that is none of the model's classes is a new one.

    Raises:
        ConfigError: `labels` cannot be read.
        DataError: there is no label, or only one class; the labels follow another scheme than those
            of the model, or none of them is known to it; or there are too many classes.
    """
    if not counts:
        raise DataError("no labelled review", todo="check the files and --label-column")
    if labels == "stars":
        scheme = known.renamed(labels)
    elif labels != "auto":
        scheme = _with_named(known, parse_labels(labels))
    else:
        LabelTally(known, counts=counts).check_scheme()
        scheme = _with_unknown(known, counts)
    if len(scheme.names) > MAX_CLASSES:
        raise DataError(
            f"{len(scheme.names):,} classes with those of the model",
            where=files_of(counts),
            todo="check --label-column, or name the labels with --labels",
        )
    strays, found = {}, set()
    for raw, label in counts.items():
        try:
            found.add(scheme.class_id(raw, label.where))
        except DataError as error:
            strays[raw] = error
    found.discard(None)
    if len(found) < 2:
        only = f"are {scheme.names[found.pop() or 0]!r}" if found else "mean no class"
        raise DataError(
            f"all labelled reviews {only} (the labels found are {join_labels(counts)}): a model "
            "that goes on learning from one class alone would answer nothing else",
            where=files_of(counts),
            todo="give reviews of the other classes too",
        )
    return scheme, strays


def merge_schemes(known: LabelScheme, used: LabelScheme) -> LabelScheme:
    """The scheme of the trained model: labels mean what they did, and those of new classes more.

    Args:
        known: the scheme of the old model.
        used: that by which the new reviews were read, see `extend_scheme`.
    """
    new = {raw: id for raw, id in used.of_raw.items() if id is not None and id >= len(known.names)}
    old = {raw: id for raw, id in known.of_raw.items() if id is not None or raw not in new}
    return LabelScheme(used.names, {**old, **{raw: new[raw] for raw in new if raw not in old}})


def _with_named(known: LabelScheme, given: LabelScheme) -> LabelScheme:
    """The scheme of ``--labels``: names that the model knows are its classes, others new ones."""
    folded = {name.casefold(): name for name in known.names}
    names = [folded.get(name.casefold(), name) for name in given.names]
    all_names = tuple(dict.fromkeys((*known.names, *names)))
    ids = [all_names.index(name) for name in names]
    of_raw = {raw: None if id is None else ids[id] for raw, id in given.of_raw.items()}
    return LabelScheme(all_names, of_raw)


def _with_unknown(known: LabelScheme, counts: Mapping[str, RawLabel]) -> LabelScheme:
    """The model's scheme and a class for each label that it does not know, if they are many.

    Raises:
        DataError: it knows none of them.
    """
    unknown = [raw for raw in counts if not known.knows(raw)]
    if len(unknown) == len(counts):
        raise DataError(
            f"the labels are {join_labels(sorted(counts, key=numbers_first))}, and the model, of "
            f"the classes {join_labels(known.names)}, knows none of them",
            where=files_of(counts),
            todo=f"say what they mean: --labels LABEL={known.names[0]},LABEL={known.names[1]}",
        )
    if covers([raw for raw in counts if raw not in unknown], counts):
        return known
    name_of: dict[str, str] = {}  # spellings that differ in case are one class
    for raw in sorted(unknown, key=lambda raw: -counts[raw].count):
        name_of.setdefault(raw.casefold(), raw)
    names = (*known.names, *sorted(name_of.values(), key=numbers_first))
    new = {raw: names.index(name_of[raw.casefold()]) for raw in unknown}
    return LabelScheme(names, {**known.of_raw, **new})
