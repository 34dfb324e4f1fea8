"""Seeds of episodes: an even one for training, an odd one for evaluation, so that no learner is ever judged by a day it has seen."""

from enum import IntEnum

import numpy as np

from clients.laboratory.draws import EVERYBODY, Purpose, bits


class Use(IntEnum):
    """What an episode is played for; the lowest bit of its seed."""

    TRAINING = 0
    EVALUATION = 1


def episode_seed(stream: int, episode: int, use: Use) -> int:
    """The seed of the world in episode 0, 1, ... of a stream; `stream` from 0 to 2**64 - 1."""
    raw = int(bits(np.uint64(stream), EVERYBODY, Purpose.EXPERIMENT, episode, 0))
    return raw - raw % 2 + int(use)
