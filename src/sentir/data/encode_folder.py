"""``sentir encode``: reviews into a folder that training reads, by one process or by many.

The folder's layout is that of `sentir.data.encoded`. A part that is there is not made again, and
the parts are removed when their corpus is there: any command can be repeated after a kill.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sentir.bundle import LanguageBundle
from sentir.config import Config, ReadOptions, TextConfig, TrainConfig
from sentir.data.encoded import (
    CORPUS,
    Settings,
    claim_folder,
    part_name,
    read_mark,
    settings_of,
)
from sentir.data.encoding import TrainingCorpora
from sentir.data.join import join_parts
from sentir.data.parts import Part, encode_part
from sentir.data.prepare import Progress, located, save_columns
from sentir.errors import DataError, UsageError
from sentir.io.atomic import atomic_write, remove, report_unwritable, tidy
from sentir.io.first_rows import check_first_rows
from sentir.io.labels import check_labels
from sentir.io.reader import BadRows
from sentir.io.shares import Share, list_files, share_of
from sentir.text.tokenizer import FILE as TOKENIZER_FILE
from sentir.text.tokenizer import load_tokenizer

_log = logging.getLogger(__name__)


def encode_files(
    sources: Sequence[str],
    folder: Path,
    share: Share,
    *,
    config: Config,
    labels: str = "auto",
    read: ReadOptions,
    lm: LanguageBundle | None = None,
    progress: Progress,
    processes: int | None = None,
) -> None:
    """Encode the files of one part.

    Args:
        sources: the files of all parts, the same for each of them.
        folder: the folder of all parts: a new or an empty one, or that of other parts.
        share: which part.
        config: `text` and the split are used.
        labels: how labels become classes, see `LabelScheme.resolve`.
        read: how files are read.
        lm: a language model whose tokenizer to use; None: one is learnt.
        progress: called with what is done and how many more reviews were.
        processes: processes that tokenise, see `tokenize_all`; they do not change the result.

    Raises:
        SentirError: bad input, or a folder that is for something else.
    """
    check_labels(labels)
    if "-" in sources and share.total > 1:
        raise UsageError(
            "standard input has no parts", where=f"--part {share}", todo="name the files"
        )
    files = list_files(sources)
    own = [file.source for file in share_of(files, share)]
    check_first_rows(own, read)
    settings = settings_of(config, labels, read, lm.checksum if lm else None)
    claim_folder(folder, share, settings, [list(file.identity) for file in files])
    if lm is not None:  # the join needs it
        with report_unwritable(folder), atomic_write(folder / TOKENIZER_FILE) as beside:
            lm.tokenizer.save(beside)
    if (folder / CORPUS).is_dir() or (folder / part_name(share)).is_dir():
        _log.info("%s: part %s is there already", folder, share)
        return
    if not own:
        _log.info("part %s has no files: there are %s", share, len(files))
    with report_unwritable(folder), located(sources):
        encode_part(
            own,
            folder,
            share,
            text=config.text,
            tokenizer=lm.tokenizer if lm else None,
            read=read,
            advance=partial(progress, "reading reviews"),
            processes=processes,
        )


def join_folder(folder: Path, progress: Progress) -> TrainingCorpora:
    """Join the parts in a folder; if they are already, nothing is done.

    Args:
        folder: the parts'.
        progress: called with what is done and how many more reviews were.

    Returns:
        The encoded corpora.

    Raises:
        DataError: a part is missing, or as `sentir.data.encoding.encode_training`.
    """
    mark = read_mark(folder)
    names = [part_name(Share(number, mark["parts"])) for number in range(mark["parts"])]
    corpus = folder / CORPUS
    tidy(corpus)
    if not corpus.is_dir():
        missing = [name for name in names if not (folder / name).is_dir()]
        if missing:
            numbers = ", ".join(str(names.index(name)) for name in missing[:20])
            raise DataError(
                f"{len(missing):,} of {len(names):,} parts are missing: {numbers}"
                + (" and others" if missing[20:] else ""),
                where=str(folder),
                todo=f"encode them with --part NUMBER/{len(names)}",
            )
        with report_unwritable(folder), atomic_write(corpus) as new:
            new.mkdir()
            _join([Part.open(folder / name) for name in names], new, mark["settings"], progress)
    for name in names:
        remove(folder / name)
    return TrainingCorpora.open(corpus)


def _join(parts: Sequence[Part], folder: Path, settings: Settings, progress: Progress) -> None:
    bad_rows = BadRows(settings["read"]["on_error"])
    for part in parts:
        bad_rows.add_saved(part.folder)
    given = parts[0].folder.parent / TOKENIZER_FILE if settings["from_lm"] else None
    wheres = (label.where for part in parts for label in part.labels.values())
    with located(sorted({where.rpartition(":")[0] for where in wheres})[:3] or ["the parts"]):
        join_parts(
            parts,
            folder,
            text=TextConfig(**settings["text"]),
            train=TrainConfig(**settings["train"]),
            labels=settings["labels"],
            tokenizer=load_tokenizer(given) if given else None,
            bad_rows=bad_rows,
            advance=partial(progress, "joining reviews"),
        )
    save_columns(folder, list(dict.fromkeys(one for part in parts for one in part.columns)))
    bad_rows.save(folder)
