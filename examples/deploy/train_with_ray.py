"""Train one model with Ray Train, on two workers: pip install 'ray[train]' 'sentir[train]'."""

import sys

from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer


def worker(config: dict[str, str]) -> None:
    import sentir

    run = sentir.train(config["reviews"], config["output"], epochs=1, preset="fast")
    print(f"{run.folder}: accuracy {run.validation.accuracy:.1%}")


reviews, output, storage = sys.argv[1:]  # folders that all machines share
TorchTrainer(
    worker,
    train_loop_config={"reviews": reviews, "output": output},
    scaling_config=ScalingConfig(num_workers=2),
    run_config=RunConfig(storage_path=storage),
).fit()
