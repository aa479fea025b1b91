"""Published experiments, each one command: `graphwright reproduce NAME`."""

from graphwright.experiments import architectures, masking, permutation, s2v, sizes
from graphwright.experiments.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    "permutation": permutation.reproduce,
    "masking": masking.reproduce,
    "architectures": architectures.reproduce,
    "sizes": sizes.reproduce,
    "s2v": s2v.reproduce,
}
