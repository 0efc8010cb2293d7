"""An evaluated policy, whether it was evaluated just now or read back: its tables and records are found by their names."""

from collections.abc import Mapping
from typing import Any

import polars

from mesabench.evaluation.replays import REPLAYS
from mesabench.scores.level_table import LEVEL_TABLE


class Evaluated:
    """tables, records: by the names under which measures declare them (`mesabench.evaluation.measures`)."""

    tables: Mapping[str, polars.DataFrame]
    records: Mapping[str, Any]

    @property
    def levels(self) -> polars.DataFrame:
        """One row per evaluated level: `mesabench.scores.level_table`."""
        return self.tables[LEVEL_TABLE.name]

    @property
    def replays(self) -> list[dict[str, Any]]:
        """Episodes to look at."""
        return self._recorded("replays")

    @property
    def lived(self) -> list[dict[str, Any]]:
        """Lifetimes to look at (`mesabench.evaluation.replays.lifetimes_lived`), none where nobody watches."""
        return self._recorded("lived")

    def _recorded(self, what: str) -> list[dict[str, Any]]:
        return list(self.records[REPLAYS.name][what]) if REPLAYS.name in self.records else []
