"""Which tests run in one process: those of one environment, and else those of one file.

So two processes seldom compile the same kernel, and no fixture of a file is made in both. The marks `xdist_group` would say the
same, but pytest-xdist 3.8 loses them under pytest 9: it writes them into a part of a test that is no longer there.
"""

import re

from xdist.scheduler import LoadScopeScheduling

from mesabench import registry

WORLDS = {*registry.environments()}


def group_of(nodeid: str) -> str:
    """The environment among the parameters of a test, or else its file."""
    file, _, test = nodeid.partition("::")
    return min({*re.split(r"[\[\]-]", test)} & WORLDS, default=file)


class Groups(LoadScopeScheduling):
    """Hands out one group after the other, the largest first."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)
