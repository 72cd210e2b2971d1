"""What this machine can do: devices, number formats and their speed, what sentir would choose."""

from __future__ import annotations

import functools
import platform
import time
import warnings
from collections.abc import Callable, Iterator

import torch

from sentir.bundle import Bundle
from sentir.config import DEFAULT_PRESET, Config
from sentir.inference.engines import ENGINES, select_engine
from sentir.inference.predictor import Predictor
from sentir.io.labels import LabelScheme
from sentir.nn.classifier import SentimentClassifier
from sentir.nn.kernels.availability import MAX_HIDDEN, NUMBA_INT8_CELLS, numba_is_installed
from sentir.nn.restore import to_arrays
from sentir.text.tokenizer import WordTokenizer
from sentir.training.device import choose_device
from sentir.training.malloc import can_tune_malloc
from sentir.training.precision import MIN_HIDDEN_SIZE, has_fast_bfloat16
from sentir.version import __version__

#: What our kernels need.
EXTRA = "pip install 'sentir[numba]'"
#: Rows, inner and columns of the matrix product that is timed: a step of a wide LSTM.
PRODUCT = (512, 512, 2048)
#: The reviews that the engines are timed on, and the words they are made of.
REVIEWS, TOKENS, WORDS = 256, 100, 500
#: Repetitions; the fastest counts, as all that disturbs makes it slower.
TIMES = 5


def examine() -> Iterator[tuple[str, str]]:
    """What was found, as names and sentences, each as soon as it is known."""
    yield (
        "versions",
        f"sentir {__version__}, Python {platform.python_version()}, torch {torch.__version__}",
    )
    yield "processor", _processor()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        device = choose_device("auto", Config().model)
    yield (
        "device",
        f"training goes to {device}" + "".join(f"; {warning.message}" for warning in caught),
    )
    yield (
        "memory",
        f"{'kept' if can_tune_malloc() else 'not kept'} from one training step to the next",
    )
    yield from _formats(device)
    if device.type == "cpu":
        kernel = f"GRUs of up to {MAX_HIDDEN} units learn by a kernel of our own"
        yield "training", kernel if numba_is_installed() else f"{kernel}, once there: {EXTRA}"
    yield from _answers()


def _processor() -> str:
    able = torch.cpu.get_capabilities()
    known = {
        "avx2": "AVX2", "avx512_f": "AVX-512", "avx512_bf16": "AVX-512 bf16",
        "avx512_vnni": "AVX-512 VNNI", "amx_bf16": "AMX bf16", "amx_int8": "AMX int8",
        "neon": "NEON", "bf16": "bf16", "i8mm": "int8 matrices", "sve": "SVE",
    }  # fmt: skip
    features = ", ".join(name for key, name in known.items() if able.get(key)) or "nothing special"
    name = able.get("cpu_name") or platform.machine()
    return f"{name}, {torch.get_num_threads()} threads; {features}"


def _formats(device: torch.device) -> Iterator[tuple[str, str]]:
    rows, inner, columns = PRODUCT
    operations = 2 * rows * inner * columns
    plain = _gflops(device, torch.float32, operations)
    yield "float32", f"{plain:,.0f} GFLOP/s in a product of matrices"
    if not has_fast_bfloat16(device):
        yield "bfloat16", "not used: there is no hardware for it"
        return
    rough = _gflops(device, torch.bfloat16, operations)
    wide = (
        f"LSTMs of {MIN_HIDDEN_SIZE} units and more" if device.type == "cpu" else "recurrent layers"
    )
    chosen = f"{wide} are trained in it"
    yield "bfloat16", f"{rough:,.0f} GFLOP/s, {rough / plain:.1f} x float32; {chosen}"


def _gflops(device: torch.device, format: torch.dtype, operations: int) -> float:
    rows, inner, columns = PRODUCT
    left = torch.randn(rows, inner, device=device).to(format)
    right = torch.randn(inner, columns, device=device).to(format)

    def multiply() -> None:
        (left @ right)[0, 0].item()  # waits for a GPU to finish

    return operations / fastest(multiply) / 1e9


def _answers() -> Iterator[tuple[str, str]]:
    """The engines, timed on a network of the default's size with weights of chance."""
    config = Config.preset(DEFAULT_PRESET).override({"ngram_buckets": 1000})
    words = [f"word{index}" for index in range(WORDS)]
    torch.manual_seed(0)
    bundle = Bundle(
        weights=to_arrays(SentimentClassifier(config.model, vocabulary=WORDS + 2, classes=2)),
        tokenizer=WordTokenizer(words, config.text.clean),
        labels=LabelScheme(("negative", "positive"), {"negative": 0, "positive": 1}),
        config=config,
        metrics={},
    )
    review = " ".join(words[index * 7 % WORDS] for index in range(TOKENS))
    for_files = select_engine(bundle, bulk=True).name
    used = {"onnx": "texts", for_files: "files" if for_files != "onnx" else "texts and files"}
    for name in ENGINES[1:]:
        if name == "numba" and not numba_is_installed():
            yield "numba engine", f"not installed: {EXTRA}"
            continue
        predictor = Predictor(bundle, name)
        answer_one, answer_many = predictor.predict_one, predictor.predict
        one_s = fastest(functools.partial(answer_one, review))
        many_s = fastest(functools.partial(answer_many, [review] * REVIEWS))
        chosen = f"; taken for {used[name]} unless --engine says otherwise" if name in used else ""
        speed = f"{REVIEWS / many_s:,.0f} reviews/s of {TOKENS} tokens"
        yield (
            f"{name} engine",
            f"{speed}, one in {1000 * one_s:.1f} ms, preset {DEFAULT_PRESET}{chosen}",
        )
    if config.model.cell not in NUMBA_INT8_CELLS:
        yield "int8", f"not for preset {DEFAULT_PRESET}, only for LSTMs"


def fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs, after one that warms up."""
    work()
    seconds = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
