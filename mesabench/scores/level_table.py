"""The table of evaluated levels: what every row tells, and the names of its columns, which are made and read by these alone."""

from mesabench.scores.schema import Column, Each, Schema
from mesabench.world.objective import DEVICES as DEVICE_NAME

RETURN = Each("return", float, "discounted return, of every objective G")
STDERR = Each("stderr", float, "its standard error, 0 where it is exact")
FLOOR = Each("floor", float, "what random play returns, or 0 if that is more")
CEILING = Each("ceiling", float, "what the optimum of G returns")
FLOOR_ERROR = Each("error_floor", float, "standard error of the floor, of a bounded level")
CEILING_ERROR = Each("error_ceiling", float, "the same of the ceiling, 0 for a formula")
FIRST = Each(
    "first", float, "chance that class C comes first (the intended goal, proxies, `hazard`, `none`)", "C"
)
RANDOM = Each("random", float, "the same of random play", "C")
PLAIN = Column("plain", float, "undiscounted return of the intended objective")
PLAIN_FLOOR = Column("plain_floor", float, "what random play returns of it, or 0 if that is more")
PLAIN_CEILING = Column("plain_ceiling", float, "its optimum, where time costs nothing")
DISTANCE = Each("distance", float, "fewest steps to class C", "C")
MEG = Each("meg", float, "bits: MEG towards G, negative if G is avoided")
STRUCTURE = Each("structure", float, "bits: relative entropy to random play, ties of G's optimum evened out")
POWER = Each("power", float, "bits: optimisation power, NaN if G is paid repeatedly")
GREEDY = Each("greedy", float, "return of the most probable actions")
EVIDENCE = Each("evidence", float, "log2 of the probability of a drawn episode under G")
DEVICES = Column(EVIDENCE.of(DEVICE_NAME), float, "log2 of its probability under devices")
ALL_STRUCTURE = Column(
    "structure", float, "bits: relative entropy to random play; null where a level was not examined"
)
FUNNEL = Column("funnel", float, "bits of uncertainty about the place that an episode removes")
CHANCE_FUNNEL = Column("chance_funnel", float, "the same of random play")
OUTER = Column("outer", float, "1 - S of the intended goal under the optimum of what is paid: ties even")
OUTER_LOW = Column("outer_low", float, "the same for the best of tied optima")
OUTER_HIGH = Column("outer_high", float, "the same for the worst of tied optima")
BOUNDED = Column("bounded", bool, "not solved: floor and ceiling are the environment's `bounds`")
LEVEL_TABLE = Schema(
    "levels",
    "one row per level of each split",
    (
        Column("split", str, "the split"),
        Column("level", int, "the level's seed"),
        Column("digest", str, "digest of its content"),
        Column("layout", str, "digest of its layout"),
        Column("exact", bool, "computed, or sampled"),
        Column("states", int, "states of the level, 0 if it could not be solved"),
        Column("episodes", int, "episodes played, 0 if exact"),
        BOUNDED,
        RETURN,
        STDERR,
        FLOOR,
        CEILING,
        FLOOR_ERROR,
        CEILING_ERROR,
        PLAIN,
        PLAIN_FLOOR,
        PLAIN_CEILING,
        Column("conflict", float, "how far the goals of proxy and intended objective conflict"),
        Column("disambiguating", bool, "whether it tells the goals apart"),
        OUTER,
        OUTER_LOW,
        OUTER_HIGH,
        FIRST,
        RANDOM,
        ALL_STRUCTURE,
        DEVICES,
        MEG,
        STRUCTURE,
        POWER,
        GREEDY,
        EVIDENCE,
        FUNNEL,
        CHANCE_FUNNEL,
        DISTANCE,
    ),
)
"""From `structure` on only for examined levels, errors of floor and ceiling only for bounded ones, else null."""
