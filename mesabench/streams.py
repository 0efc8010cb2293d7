"""Named seeds: every random draw has a stream of its own."""

import hashlib


def stream_seed(seed: int, *domain: str) -> int:
    """The seed, 0 .. 2**63 - 1, of the random stream of one purpose: stream_seed(trial's seed, "weights").

    Streams of different seeds or domains have nothing in common, neighbours included: the parallel
    environments of seeds 0 and 1, numbered on from here, do not meet.
    """
    text = "\0".join(("mesabench", *domain, str(seed)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1
