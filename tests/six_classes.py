"""The reentrant line of two stations and six classes, preemptive, last buffer first served, as a plain loop."""

from __future__ import annotations

import numpy as np

from graphwright.core.kernels.jit import jit_as_written

ARRIVAL, RATES = 9 / 140, (1 / 8, 1 / 2, 1 / 4, 1 / 6, 1 / 7, 1.0)


def simulate(slots: int, seed: int) -> float:
    """The mean number of jobs over `slots` events of the uniformised chain, after each, from an empty line on."""
    return float(_simulate(slots, np.random.default_rng(seed), ARRIVAL, np.array(RATES)))


@jit_as_written
def _simulate(slots, generator, arrival, rates):  # type: ignore[no-untyped-def]
    queue, total = np.zeros(6, np.int64), 0.0
    everything = 2 * arrival + rates[:3].max() + rates[3:].max()
    for _ in range(slots):
        at = generator.random() * everything
        if at < 2 * arrival:
            queue[0 if at < arrival else 2] += 1
        else:
            at -= 2 * arrival
            first = 2 if queue[2] else 1 if queue[1] else 0 if queue[0] else -1  # nearest to leaving: 3 → 6, 2 → 5, 1
            other = 5 if queue[5] else 4 if queue[4] else 3 if queue[3] else -1
            for job in (first, other):
                if job < 0:
                    continue
                if at < rates[job]:
                    queue[job] -= 1
                    following = (3, 4, 5, 1, -1, -1)[job]
                    if following >= 0:
                        queue[following] += 1
                    break
                at -= rates[job]
        total += queue.sum()
    return total / slots
