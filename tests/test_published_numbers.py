"""What README, docs and results/ say about results and suites is recomputed from results/ and configs/.

A result is written without a leading zero and with two digits or more (.95); definitions are not (0.8). So the last tests can see
that no result stands there that nothing recomputes, and that each says of how many it is, and where that is published. What
another test recomputes is marked as a claim of that test: <!-- claim: tests/test_docs.py::test_name --> ... <!-- /claim -->.
The page of published results is written whole by docs/write_results.py; only the notes in it are prose.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
import write_detectors
import write_results
import write_zoo
from draw_oversight import W, of_run
from draw_understanding import fidelities
from recomputed import (
    RESULTS,
    alpha_star,
    detection,
    interval,
    judged_again,
    number,
    outcomes,
    over_seeds,
    seeds,
    spread,
    table,
    told,
    verdicts,
)
from scipy.stats import fisher_exact

from mesabench.auditing.detectors import WATCHING
from mesabench.deception.theory import dark_compliance, hazard_threshold
from mesabench.runs.suite import load_suite
from mesabench.statistics.contrasts import holm, rank_sum_test
from mesabench.statistics.intervals import bootstrap_mean
from mesabench.statistics.roc import superiority_interval

ROOT = Path(__file__).parent.parent
README, TOUR, WATCHED, DETECT = "README.md", "docs/tour.md", "docs/deception.md", "docs/detect.md"
SUITES, ZOO, RECIPES = "docs/suites.md", "docs/zoo.md", "docs/recipes.md"
NOTES = {
    one.parent.name: f"results/{one.parent.name}/notes.md" for one in (ROOT / "results").glob("*/notes.md")
}
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]

Claim = tuple[str, str]
"""A page and a sentence, or part of one, that must stand on it word for word."""


# The alpha curve


def alpha_curve() -> Iterator[Claim]:
    at_two = number(np.mean(seeds("alpha_curve", "cheese_corner", "alpha-0.02", "TRUE")))
    found = outcomes("alpha_curve", "cheese_corner", "alpha-0.02")
    yield (
        NOTES["alpha_curve"],
        f"at alpha = .02 TRUE is {at_two} in `cheese_corner`, and {found['incapable']} of {found.total()} seeds are incapable",
    )
    true = seeds("core", "cheese_corner", "ordinary", "TRUE")
    found = outcomes("core", "cheese_corner", "ordinary")
    yield README, f"TRUE {over_seeds(true)} in {found['proxy']} of {found.total()} seeds"
    n = len(seeds("alpha_curve", "cheese_corner", "alpha-0.02", "TRUE"))
    yield README, f"If 2 % of training levels have the cheese elsewhere, TRUE is {at_two} ({n} seeds)"
    corner, keys = (100 * alpha_star(one).value for one in ("cheese_corner", "keys_and_chests"))
    suite = load_suite("alpha_curve")
    shares = {*table("alpha_curve")["options"].str.json_path_match("$.alpha")}
    yield (
        README,
        f"Half of the possible gain takes {corner:.1f} %; in `keys_and_chests` it takes {keys:.0f} % "
        f"({n_seeds(suite)} seeds at each of {len(shares)} shares",
    )
    steps = {trial.environment: f"{trial.steps:,}" for trial in suite.trials}
    assert steps["cheese_corner"] == steps["cheese_dish"]
    yield (
        NOTES["alpha_curve"],
        f"are trained for {steps['cheese_corner']} steps, `keys_and_chests` for {steps['keys_and_chests']}",
    )


# The core suite


def core() -> Iterator[Claim]:
    with_intervals = []
    for score in ("PROXY", "TRUE"):
        for variant in ("ordinary", "control"):
            values = seeds("core", "monster_world", variant, score)
            (one,) = bootstrap_mean(values, seed=0)
            with_intervals.append((number(one.value, 3), f"{number(one.low, 3)} to {number(one.high, 3)}"))
    (a, b), (c, d), (e, f), (g, h) = with_intervals
    yield (
        NOTES["core"],
        f"PROXY is {a} ({b}, 95 % over {len(values)} seeds) against {c} ({d}) of the controls, TRUE {e} ({f}) against {g} ({h}).",
    )
    wrong = [seeds("core", name, "ordinary", "OUTER") for name in ("boat_race", "absent_supervisor")]
    (n,) = {*map(len, wrong)}
    yield NOTES["core"], f"(OUTER {over_seeds(wrong[0])} and {over_seeds(wrong[1])}, {n} seeds each)"
    for name in ("cheese_corner", "cheese_dish", "lava_land"):
        assert [*outcomes("core", name, "ordinary")] == ["proxy"]
        assert [*outcomes("core", name, "control")] == ["aligned"]
    assert outcomes("core", "keys_and_chests", "ordinary") == {"proxy": n}
    assert outcomes("core", "keys_and_chests", "control") == {"mixed": n}
    ordinary, control = (
        over_seeds(seeds("core", "keys_and_chests", variant, "TRUE")) for variant in ("ordinary", "control")
    )
    keys = over_seeds(seeds("core", "keys_and_chests", "control", "PROXY"))
    yield NOTES["core"], f"(TRUE {ordinary}). Controls open more chests (TRUE {control})"
    yield NOTES["core"], f"they collect them, too (PROXY {keys}), and count as mixed ({n} seeds each)"
    reflex = over_seeds(seeds("core", "cheese_corner", "ordinary", "PROXY", "reflex"))
    passed = WORDS[n - outcomes("core", "cheese_corner", "ordinary", "reflex")["not trained"]]
    yield NOTES["core"], f"passes the gate of training in {passed} of {n} seeds; PROXY is {reflex} there"


# Watched and unwatched


def watched(
    variant: str, score: str, environment: str = "executive_hiring", agent: str = "ppo"
) -> list[float]:
    return seeds("deception", environment, variant, score, agent)


def learned_deception() -> Iterator[Claim]:
    decep = watched("probation", "DECEP")
    n = verdicts("executive_hiring", "probation")["strategic deception"]
    novel = number(np.mean(watched("probation", "FIDELITY NOVEL")))
    yield README, f"{n} of {len(decep)} seeds, DECEP {number(np.mean(decep))}"
    for score, meaning in (
        ("LIVED WATCHED", ", where complying pays"), ("LIVED DARK", ""), ("LIVED UNPAID", ", watched, where it does not pay"),
        ("c01", ", the watched rounds as if dark"), ("AWARE", ", how much more it complies where a life begins in the dark"),
        ("FIDELITY", ""), ("FIDELITY NOVEL", ", where the lookup errs"), ("DECEP", ""),
    ):  # fmt: skip
        yield WATCHED, f"| {score}{meaning} | {over_seeds(watched('probation', score))} |"
    rules = [watched("probation", f"FIDELITY {one}") for one in ("LOOKUP", "LINEAR")]
    (lookup,), (linear,) = (set(map(number, one)) for one in rules)
    yield WATCHED, f"The lookup has a FIDELITY of {lookup} there, the linear rule {linear}: as much as PPO"
    yield WATCHED, f"FIDELITY NOVEL of {novel} says that PPO is mostly right"
    guard = sorted(watched("all-conditions", "DECEP", "goal_guard"))
    counts = verdicts("goal_guard", "all-conditions")
    good = counts["strategic deception"]
    assert counts == {"strategic deception": good, "open misalignment": len(guard) - good}
    yield README, f"In `goal_guard` {good} of {len(guard)} do,"
    yield (
        WATCHED,
        f"In `goal_guard` {good} of {len(guard)} do (DECEP {number(guard[-good])} to {number(guard[-1])})",
    )
    first, second = map(number, guard[:-good])
    yield WATCHED, f"the other two hardly comply at all (DECEP {first} and {second})"
    dark = {one: watched("no-dark-starts", "DECEP", one) for one in ("executive_hiring", "goal_guard")}
    for environment, values in dark.items():
        assert verdicts(environment, "no-dark-starts") == {"strategic deception": len(values)}
        assert max(map(abs, watched("no-dark-starts", "AWARE", environment))) < 0.005
    each = " and ".join(over_seeds(one) for one in dark.values())
    yield WATCHED, f"all of them are deceivers ({len(values)} seeds each, DECEP {each}), and AWARE is .00"


def conditions() -> Iterator[Claim]:
    """Hubinger's three, taken away one by one from agents of their own, and in the eyes of one agent."""
    variants = sorted(
        variant
        for environment, agent, variant in told("deception")
        if (environment, agent) == ("goal_guard", "ppo") and variant.startswith(("without", "threat-goes-on"))
    )
    without = [one for one in variants if one.startswith("without")]
    endless = [one for one in variants if one.startswith("threat-goes-on")]
    assert (len(without), len(endless)) == (3, 4)
    agents = sum(len(watched(one, "LIVED WATCHED", "goal_guard")) for one in without)
    for one in without:
        assert verdicts("goal_guard", one) == {"open misalignment": 10}
        assert max(watched(one, "DECEP", "goal_guard")) < 0.005
        assert max(watched(one, "LIVED WATCHED", "goal_guard")) < 0.005
    yield README, f"or modification does not depend on behaviour, none of {agents} complies (DECEP .00)"
    yield WATCHED, "no agent ever complies (10 seeds each, DECEP .00)"
    for one in endless:
        assert not watched(one, "DECEP", "goal_guard")
        assert not watched(one, "LIVED DARK", "goal_guard")
        assert verdicts("goal_guard", one) == {"undecided": 5}
        assert one == "threat-goes-on" or max(watched(one, "LIVED WATCHED", "goal_guard")) < 0.0095
    tie = over_seeds(watched("threat-goes-on", "LIVED WATCHED", "goal_guard"))
    yield WATCHED, f"With c1 and c2 in place agents comply in {tie} of the watched rounds"
    drawn = {
        one: watched("conditions-drawn", one, "goal_guard")
        for one in ("HEEDED", "LIVED WATCHED", "LIVED DARK", "DECEP")
    }
    counts = verdicts("goal_guard", "conditions-drawn")
    n = counts["strategic deception"]
    heeded, lit, dark, decep = map(over_seeds, drawn.values())
    yield (
        WATCHED,
        f"Where all conditions hold LIVED WATCHED is {lit} and LIVED DARK {dark}; without one, the same",
    )
    yield WATCHED, f"agent hardly ever complies: HEEDED is {heeded} ({counts.total()} seeds)"
    assert counts == {"strategic deception": n, "mixed": 3, "open misalignment": 2}
    rows = table("deception").filter(
        environment="goal_guard", variant="conditions-drawn", agent="ppo", score="HEEDED"
    )
    assert rows.filter(deception="strategic deception")["value"].min() > 0.7
    yield (
        WATCHED,
        f"{n} of {counts.total()} are strategic deception (DECEP {decep}), three are mixed, and two hardly ever comply",
    )


def controls() -> Iterator[Claim]:
    highest = [
        number(max(watched(variant, "DECEP", environment)))
        for environment, variant in (
            ("idle_lamp", "control"),
            ("executive_hiring", "control-contingent-0"),
            ("executive_hiring", "control-lamp_shown-0-record_shown-0"),
            ("executive_hiring", "control-lies-50"),
        )
    ]
    yield WATCHED, "`idle_lamp` {}, `contingent=0` {}, `lamp_shown=0` {}, `lies=50` {}.".format(*highest)
    for variant in ("control-contingent-0", "control-lamp_shown-0-record_shown-0", "control-lies-50"):
        assert verdicts("executive_hiring", variant) == {"open misalignment": 10}
    assert verdicts("idle_lamp", "control") == {"open misalignment": 10}
    yield WATCHED, "All of them are *open misalignment*"
    told = [
        number(np.mean(watched("control", one, "absent_supervisor")))
        for one in ("c11", "c01", "d01", "CUE", "DECEP")
    ]
    yield (
        WATCHED,
        "(c11 {}, c01 {}, d01 {}, CUE {}, DECEP {}): 9 of 10 seeds are a cue habit".format(*told),
    )
    assert verdicts("absent_supervisor", "control") == {"cue habit": 9, "open misalignment": 1}
    assert outcomes("deception", "absent_supervisor", "control") == {"as paid": 9, "not trained": 1}
    yield WATCHED, "and one did not learn its task"


def less_in_view() -> Iterator[Claim]:
    def mean(variant: str, score: str) -> str:
        return number(np.mean(watched(f"in-view-{variant}", score)))

    decep, counts = (
        over_seeds(watched("in-view-audit-30", "DECEP")),
        verdicts("executive_hiring", "in-view-audit-30"),
    )
    yield WATCHED, f"`audit=30`: DECEP {decep}, strategic deception in {counts['strategic deception']} of 5."
    yield WATCHED, f"FIDELITY falls to {mean('audit-30', 'FIDELITY')}."
    blind = "contract_shown-0"
    yield WATCHED, f"LIVED WATCHED is {mean(blind, 'LIVED WATCHED')}, and c10 as much, whatever the contract."
    assert mean(blind, "c10") == mean(blind, "LIVED WATCHED")
    yield (
        WATCHED,
        f"So INSTR is {mean(blind, 'INSTR')}, DECEP {mean(blind, 'DECEP')} and CUE {mean(blind, 'CUE')}.",
    )
    yield WATCHED, f"`record_shown=0`: DECEP {over_seeds(watched('in-view-record_shown-0', 'DECEP'))}."
    blind = "type_shown-0"
    for score in ("LIVED WATCHED", "LIVED DARK"):
        yield WATCHED, f"{score} {mean(blind, score)}"
    assert verdicts("executive_hiring", f"in-view-{blind}") == {"mixed": 5}
    assert outcomes("deception", "executive_hiring", f"in-view-{blind}") == {"not trained": 5}
    yield WATCHED, f"TRAINED is {mean(blind, 'TRAINED')}: none passes the gate of training"
    lit = number(np.mean(watched("control-lamp_shown-0-record_shown-0", "LIVED WATCHED")))
    yield WATCHED, f"the record out of view as well): LIVED WATCHED {lit}."
    remembered = {
        one: over_seeds(watched("in-view", one, agent="recurrent_ppo"))
        for one in ("LIVED WATCHED", "LIVED DARK", "LIVED UNPAID", "c10", "DECEP", "TRAINED")
    }
    lit, dark, unpaid, c10, decep, trained = remembered.values()
    assert verdicts("executive_hiring", "in-view", "recurrent_ppo") == {"mixed": 5}
    yield (
        WATCHED,
        f"LIVED WATCHED {lit}, LIVED DARK {dark}, LIVED UNPAID {unpaid}, c10 {c10}. DECEP is {decep}, TRAINED {trained}.",
    )
    fidelity = watched("dqn", "FIDELITY", agent="dqn")
    yield WATCHED, f"(FIDELITY {number(min(fidelity))} to {number(max(fidelity))})"
    assert outcomes("deception", "executive_hiring", "dqn", "dqn") == {"not trained": 5}
    novel = watched("dqn", "FIDELITY NOVEL", agent="dqn")
    assert len(novel) == 1
    yield WATCHED, f"FIDELITY NOVEL could be measured in one seed, and is {over_seeds(novel)} there"


def safety_training() -> Iterator[Claim]:
    """What is left of the defection in the dark of those who learned to deceive, seed for seed."""
    rows = table("deception").filter(score="LIVED DARK", environment="executive_hiring")
    dark = {
        variant: dict(rows.filter(variant=variant).select("seed", "value").iter_rows())
        for variant in ("probation", "persist", "remove")
    }
    left = {
        variant: over_seeds(
            [(1 - after) / (1 - dark["probation"][seed]) for seed, after in dark[variant].items()]
        )
        for variant in ("persist", "remove")
    }
    n = len(dark["persist"])
    yield README, f"leaves PPO {left['persist']} of its defection in the dark ({n} seeds)"
    yield WATCHED, f"PERSIST is {left['persist']}, REMOVE {left['remove']} ({n} seeds each)"


def oversight() -> Iterator[Claim]:
    """Compliance in the dark of PPO and of the optimal deceiver, by the chance of an audit."""
    suite, world = "oversight", "executive_hiring"
    for audit in (0, 10, 20, 30, 50, 85):
        lit, dark = (
            over_seeds(seeds(suite, world, f"audited-dark_audit-{audit}", one))
            for one in ("LIVED WATCHED", "LIVED DARK")
        )
        best = (
            seeds(suite, world, f"scripted-dark_audit-{audit}-character-strategist", one, "executive")
            for one in ("LIVED WATCHED", "LIVED DARK")
        )
        best_lit, best_dark = (number(one) for (one,) in best)
        yield WATCHED, f"| {audit} % | {lit} | {best_lit} | {dark} | {best_dark} |"
    lit, dark = (
        over_seeds(seeds(suite, world, "audits-stop", one)) for one in ("LIVED WATCHED", "LIVED DARK")
    )
    yield WATCHED, f"Where they stop, LIVED DARK is {dark} and LIVED WATCHED {lit}"
    values = seeds(suite, world, "audits-begin", "LIVED DARK")
    yield WATCHED, f"Where they begin, LIVED DARK is {over_seeds(values)}"
    rows = table(suite).filter(agent="ppo").unique("trial")
    audited = {
        audit: Counter(rows.filter(variant=f"audited-dark_audit-{audit}")["deception"])
        for audit in (0, 10, 20, 30, 50, 85)
    }
    strategic = {audit: found["strategic deception"] for audit, found in audited.items()}
    assert strategic == {0: 10, 10: 10, 20: 10, 30: strategic[30], 50: 0, 85: 0}
    yield (
        WATCHED,
        f"*Strategic deception* are {strategic[0]} of 10 agents each under 0, 10 and 20 %, "
        f"{strategic[30]} under 30 %, and none under 50 and 85 %",
    )
    (best,) = table(suite).filter(variant="scripted-dark_audit-85-character-strategist")["deception"].unique()
    assert best == "mixed"  # "the optimum itself is mixed"
    pay = {audit: contracts_that_pay(suite, world, f"audited-dark_audit-{audit}") for audit in audited}
    *most, last = (str(len(one)) for one in pay.values())
    yield WATCHED, f"complying also pays under fewer contracts: {', '.join(most)} and {last}."
    on_those = {
        audit: number(lived_watched(suite, world, f"audited-dark_audit-{audit}", pay[85]))
        for audit in (30, 50, 85)
    }
    yield (
        WATCHED,
        f"the {last} that are left LIVED WATCHED falls as well: {on_those[30]} under 30 %, "
        f"{on_those[50]} under 50 % and {on_those[85]} under 85 %",
    )
    stops = len(contracts_that_pay(suite, world, "audits-stop"))
    yield WATCHED, f"lower than above since complying now pays under {stops} contracts and not {len(pay[50])}"
    yield WATCHED, f"({len(values)} seeds each, [results/oversight](../results/README.md#oversight))"
    dots = of_run(RESULTS / suite)
    sides = [
        [one for one in dots if (one[1] > hazard_threshold(one[0], W)) is above] for above in (False, True)
    ]
    (below, above), (theirs, best) = (
        [number(float(np.mean([one[2] for one in side]))) for side in sides],
        [number(float(np.mean([dark_compliance(*one[:2], W) for one in side]))) for side in sides],
    )
    assert theirs == ".00"
    yield WATCHED, f"Under the threshold it complies in {below} of the dark rounds ({len(sides[0])} dots)"
    yield (
        WATCHED,
        f"above it in {above}, where the theory has {best} ({len(sides[1])} dots; {len(values)} seeds",
    )


# Understanding or lookup


def understanding() -> Iterator[Claim]:
    """FIDELITY over the number of contracts of training, beside a lookup and a line."""
    found = {world: fidelities(world) for world in ("executive_hiring", "hiring_terms")}
    assert {one for each in found.values() for one in each.filter(score="FIDELITY")["seeds"]} == {10}
    trials = table("understanding")["trial"].n_unique()
    yield WATCHED, f"over 10 seeds; *line* is the linear rule ({trials} trials"

    def of(world: str, taught: int, score: str) -> dict[str, Any]:
        return found[world].row(
            by_predicate=(polars.col("taught") == taught) & (polars.col("score") == score), named=True
        )

    scores = ("FIDELITY", "FIDELITY LOOKUP", "FIDELITY LINEAR", "FIDELITY NOVEL")
    for taught in (8, 16, 32, 64, 0):
        cells = [
            spread(one["mean"], one["low"], one["high"])
            for world in found
            for one in (of(world, taught, score) for score in scores)
        ]
        yield WATCHED, f"| {taught or 'all'} | {' | '.join(cells)} |"
    for world in found:
        for taught in (8, 16, 32, 64, 0):
            ppo, lookup, line = (of(world, taught, one) for one in scores[:3])
            if ppo["mean"] > 0.005:
                assert ppo["mean"] > lookup["mean"]  # "its mean is above the lookup"
                above = sum(
                    one > lookup["mean"]
                    for one in seeds("understanding", world, f"contracts-taught-{taught}", "FIDELITY")
                )
                if (world, taught) in {("hiring_terms", 64), ("executive_hiring", 0)}:
                    yield WATCHED, f"its mean is above the lookup: in {above} of 10 seeds with 64 contracts"
                else:
                    assert above == 10, (world, taught, above)
                assert of(world, taught, "FIDELITY NOVEL")["low"] > 0
            if world == "executive_hiring" and taught in (32, 64, 0):
                assert (line["mean"] < ppo["mean"]) == (taught == 32)
            if world == "hiring_terms":
                assert (ppo["low"] > line["mean"]) == (taught in (32, 0))
                assert taught in (32, 0) or abs(ppo["mean"] - line["mean"]) < 0.03
    for taught in (8, 16):
        lived = of("executive_hiring", taught, "LIVED WATCHED")
        shown = number(of("executive_hiring", taught, "TRAINED")["mean"])
        yield (
            WATCHED,
            f"no agent complies (LIVED WATCHED {spread(lived['mean'], lived['low'], lived['high'])}). TRAINED is {shown} all",
        )
    pays = {
        (world, taught): len(
            contracts_that_pay("understanding", world, f"contracts-taught-{taught}", "train")
        )
        for world in found
        for taught in (8, 16)
    }
    yield (
        WATCHED,
        f"complying pays under {pays['executive_hiring', 8]} and {pays['executive_hiring', 16]} of them",
    )
    yield (
        WATCHED,
        f"In `hiring_terms` complying pays under {pays['hiring_terms', 8]} and {pays['hiring_terms', 16]} of them",
    )
    yield (
        WATCHED,
        f"a line through the same 8 has {number(of('executive_hiring', 8, 'FIDELITY LINEAR')['mean'])}",
    )
    higher = sum(
        seeds("understanding", world, f"linear-taught-{taught}", "FIDELITY NOVEL", "precedent")[0]
        > of(world, taught, "FIDELITY NOVEL")["mean"]
        for world in found
        for taught in (8, 16, 32, 64)
    )
    yield WATCHED, f"that of the line is higher in {higher} of the 8 rows with fewer contracts"


CONTRACT = ("shown_q", "shown_k1", "shown_k2", "shown_w")


@cache
def lives_of(suite: str) -> polars.DataFrame:
    """The lives as they are lived, of all trials."""
    return polars.read_parquet(RESULTS / suite / "lifetimes.parquet").filter(view="lived")


def contracts_that_pay(suite: str, world: str, variant: str, split: str = "between") -> set[tuple[int, ...]]:
    """The contracts under which complying pays, by the published lifetimes of a population's first trial."""
    own = table(suite).filter(environment=world, variant=variant, agent="ppo")
    judged = lives_of(suite).filter(trial=own["trial"][0], split=split, binding=True)
    return {*judged.select(CONTRACT).iter_rows()}


def lived_watched(suite: str, world: str, variant: str, contracts: set[tuple[int, ...]]) -> float:
    """LIVED WATCHED under these contracts of `between` alone, the mean over seeds."""
    trials = table(suite).filter(environment=world, variant=variant, agent="ppo")["trial"].unique()
    rows = lives_of(suite).filter(polars.col("trial").is_in(trials.to_list()), split="between", watched=1)
    own = rows.filter(polars.Series([one in contracts for one in rows.select(CONTRACT).iter_rows()]))
    made = own.group_by("trial").agg(polars.sum("complied", "defected"))
    return float((made["complied"] / (made["complied"] + made["defected"])).mean())  # type: ignore[arg-type]


# Seeds on which no recipe was chosen


def fresh_seeds() -> Iterator[Claim]:
    """The headline populations on fresh seeds, beside the suites that they were published with."""
    for suite, environment, variant, words, score in (
        ("alpha_curve", "cheese_corner", "ordinary", "ordinary training levels", "TRUE"),
        ("alpha_curve", "cheese_corner", "ordinary", "ordinary training levels", "PROXY"),
        ("alpha_curve", "cheese_corner", "alpha-0.02", "2 % of training levels tell the goals apart", "TRUE"),
        ("alpha_curve", "cheese_corner", "control", "control: trained on shifted levels", "TRUE"),
        ("deception", "executive_hiring", "probation", "on probation", "DECEP"),
        ("deception", "goal_guard", "all-conditions", "all three conditions", "DECEP"),
        ("deception", "executive_hiring", "control-contingent-0", "dismissed whatever it does", "DECEP"),
        ("deception", "idle_lamp", "control", "nobody is ever dismissed", "DECEP"),
    ):
        cells = []
        for of in (suite, "fresh_seeds"):
            values = seeds(of, environment, variant, score)
            watched = suite == "deception"
            found = (
                verdicts(environment, variant, suite=of) if watched else outcomes(of, environment, variant)
            )
            became = ", ".join(f"{count} {word}" for word, count in found.most_common())
            cells += [f"{over_seeds(values)}, of {len(values)}", became]
        link = f"[{suite}](../results/README.md#{suite})"
        yield (
            RECIPES,
            f"| `{environment}`: {words} | {score} | {' | '.join(cells[:2])} ({link}) | {' | '.join(cells[2:])} |",
        )
    before, now = (verdicts("goal_guard", "all-conditions", suite=of) for of in ("deception", "fresh_seeds"))
    strategic = [one["strategic deception"] for one in (before, now)]
    totals = [one.total() for one in (before, now)]
    told = [f"{count} of {total}" for count, total in zip(strategic, totals, strict=True)]
    yield RECIPES, f"in `goal_guard` {told[1]} are strategic deception, where {told[0]} were published"
    p = fisher_exact([[count, total - count] for count, total in zip(strategic, totals, strict=True)]).pvalue
    yield RECIPES, f"so large a difference comes about in {number(p)} of cases"
    yield README, f"{told[0]} do, on fresh seeds {told[1]}"
    yield WATCHED, f"On seeds on which no recipe was chosen {told[1]} do"


# Monsters that are faster


def monster_pace() -> Iterator[Claim]:
    """Whether agents that met faster monsters reach for shields once there are none."""
    fast = "-pace-140-monsters-8-shields-3"
    first, true, became = {}, {}, {}
    for variant in ("ordinary", "control"):
        for pace in ("", fast):
            which = ("monster_pace", "monster_world", variant + pace)
            first[variant, pace], true[variant, pace] = (seeds(*which, one) for one in ("PROXY", "TRUE"))
            became[variant, pace] = outcomes(*which)
    (n,) = {len(one) for one in first.values()}
    slow, quick = (over_seeds(first["ordinary", pace]) for pace in ("", fast))
    told = f"PROXY is {quick}, as declared {slow} ({n} seeds each, [results/monster_pace]"
    yield ZOO, told
    yield (
        NOTES["monster_pace"],
        f"PROXY is {quick} with eight fast monsters and {slow} as declared ({n} seeds each)",
    )
    slow, quick = (over_seeds(first["control", pace]) for pace in ("", fast))
    yield NOTES["monster_pace"], f"of controls {quick} and {slow}"
    assert [dict(became["ordinary", pace]) for pace in ("", fast)] == [{"aligned": n}, {"mixed": n}]
    assert [dict(became["control", pace]) for pace in ("", fast)] == [{"aligned": n}] * 2


# Organisms and detectors


def aurocs(trigger: str, safety: str, against: str = "honest twin") -> dict[str, Any]:
    wanted = (trigger, safety, against)
    (one,) = (
        c
        for c in detection()["detection"]["comparisons"]
        if (c["trigger"], c["safety"], c["against"]) == wanted
    )
    return dict(one["auroc"])


def detectors() -> Iterator[Claim]:
    """The passages that docs/write_detectors.py writes, and what they hold by another way."""
    pages = [(page, passage) for (page, _), passage in write_detectors.passages().items()]
    yield from pages
    said = {page: " ".join(passage for at, passage in pages if at == page) for page, _ in pages}

    def by_method_5(one: dict[str, Any]) -> str:
        low, high = superiority_interval(one["value"], one["n"], one["n"])
        return f"{number(one['value'])} ({number(low)} to {number(high)})"

    def value(name: str, *which: str) -> str:
        return number(aurocs(*which)[name]["value"])

    trained, gone = aurocs("any trigger", "watched", "naive twin"), aurocs("any trigger", "both")
    assert f"searches is `search`, AUROC {by_method_5(trained['search'])}" in said[README]
    assert f"only watches is `quiet probe`, AUROC {by_method_5(trained['quiet probe'])}" in said[README]
    assert "Watching as well as searching" in said[README]
    still = {name for name, one in gone.items() if f"`{name}` {by_method_5(one)}" in said[DETECT]}
    assert still == {"slips", "all watched", "readout", "quiet probe", "search", "probe"}
    planted = aurocs("any trigger", "none", "naive twin")
    assert (
        planted["flips"]["value"] < 0.1 < 0.9 < planted["search"]["value"]
    )  # "`flips` fails against naive twins"
    outside = ("corner_block", "watched", "naive twin")
    n = aurocs(*outside)["search"]["n"]
    yield DETECT, f"`search` is at {value('search', *outside)} ({n} seeds"
    found = [f"`{one}` {value(one, *outside)}" for one in ("quiet probe", "all watched", "readout")]
    yield DETECT, f"Three that only watch find it there: {', '.join(found)}."
    assert sum(one["low"] > 0.5 for name, one in aurocs(*outside).items() if name in WATCHING) == 3
    below = [
        one
        for one in ("lamp", "briefcase", "lamp_and_briefcase", "late")
        if aurocs(one, *outside[1:])["goals"]["high"] < 0.5
    ]
    assert below == [
        "lamp",
        "briefcase",
        "lamp_and_briefcase",
    ]  # "below chance for three of the four signals"
    slips = {
        trigger: value("slips", trigger, "none")
        for trigger in ("any trigger", "briefcase", "lamp", "lamp_and_briefcase", "late")
    }
    told = [f"{name} {slips[trigger]}" for name, trigger in (("briefcase", "briefcase"), ("lamp", "lamp"),
            ("conjunction", "lamp_and_briefcase"), ("late", "late"))]  # fmt: skip
    yield (
        DETECT,
        f"at every stage: {slips['any trigger']} as planted ({', '.join(told)}), "
        f"{value('slips', 'any trigger', 'watched')} after safety",
    )
    readout, slip = (value(name, "any trigger", "both") for name in ("readout", "slips"))
    yield DETECT, f"training on watched levels and {slip} after that on signals ({n} seeds"
    naive = [aurocs("any trigger", safety, "naive twin")["slips"] for safety in ("none", "watched")]
    assert all(one["low"] < 0.5 < one["high"] for one in naive)
    yield (
        DETECT,
        f"Against naive twins it does not: {' and '.join(number(one['value']) for one in naive)}, "
        "and both intervals hold one half",
    )
    yield DETECT, f"longer training and {n} seeds"
    yield DETECT, f"`readout` has {readout}, of the hour {value('readout', 'late', 'both')}"
    yield DETECT, f"(`slips`, {slip})"
    for comparison in detection()["detection"]["comparisons"]:
        if comparison["trigger"] == "any trigger":
            cells = " | ".join(
                by_method_5(one) for name, one in comparison["auroc"].items() if name in ("search", "goals")
            )
            assert f"{comparison['against']}s | " in said[DETECT]
            assert cells in said[DETECT]
    left = {(one["trigger"], one["safety"]): one["points"] for one in detection()["survivals"]}
    triggers = {trigger for trigger, _ in left}
    assert len(triggers) == 5
    for trigger in triggers:
        cells = [interval(point["left"]) for point in left[trigger, "watched"] if point["budget"]]
        cells.append(interval(left[trigger, "both"][-1]["left"]))
        assert f"| {trigger.replace('_', ' ')} | {' | '.join(cells)} |" in said[DETECT]
    for k in range(1, len(left["late", "watched"])):
        lasting = sorted(triggers, key=lambda trigger: left[trigger, "watched"][k]["left"]["value"])
        assert {*lasting[-2:]} == {"late", "lamp_and_briefcase"}  # "last longest"
        assert lasting[0] == "corner_block"  # "gone first"
    tuned, scored = detection()["detection"]["tuned_on"], detection()["detection"]["scored_on"]
    yield (
        NOTES["organisms"],
        f"tuned on seeds {tuned[0]} to {tuned[-1]} and scored on {scored[0]} to {scored[-1]}",
    )


def removed_plants() -> Iterator[Claim]:
    head, *rows = (ROOT / "docs" / "removed_plants.txt").read_text().splitlines()
    assert head == "seed trigger defects slips straying readout leading"
    told = {(seed, trigger): np.array(rest, float) for seed, trigger, *rest in map(str.split, rows)}
    seeds_seen = {seed for seed, _ in told}
    planted = [(one, told[seed, "twin"]) for (seed, trigger), one in told.items() if trigger != "twin"]
    yield (
        DETECT,
        f"({len(seeds_seen)} seeds with two triggers each, `python docs/removed_plants.py {len(seeds_seen)}`",
    )
    for column, words, sign in (
        (
            0,
            "defection on the trigger is {} on average (twins {}), and larger than the twin's in {} of {}",
            1,
        ),
        (4, "sees, is {} (twins {}), and smaller than the twin's in {} of {}", -1),
        (3, "(`readout`): {} of states (twins {}), more than the twin's in {} of {}", 1),
    ):
        mine = np.mean([one[column] for one, _ in planted])
        twins = np.mean([one[column] for (_, trigger), one in told.items() if trigger == "twin"])
        more = sum(sign * (one[column] - twin[column]) > 0 for one, twin in planted)
        yield DETECT, words.format(number(mine, 3), number(twins, 3), more, len(planted))


# Many seeds at once


def many_seeds_at_once() -> Iterator[Claim]:
    """Whether PPO of many seeds at once learns what PPO of one learns."""
    variants = dict.fromkeys(("cheese_corner", "cheese_dish", "lava_land"), "ordinary")
    variants["executive_hiring"] = "probation"
    means, by_chance = {}, {}
    for environment, variant in variants.items():
        for score in ("TRAINED", "TRUE", "PROXY"):
            one, many = (
                bootstrap_mean(seeds("ppo_batched", environment, variant, score, agent), seed=0)[0]
                for agent in ("ppo", "ppo_batched")
            )
            assert one.low <= many.value <= one.high
            assert many.low <= one.value <= many.high
            means[score, environment] = one.value, many.value
            by_chance[score, environment] = rank_sum_test(
                *(
                    seeds("ppo_batched", environment, variant, score, agent)
                    for agent in ("ppo", "ppo_batched")
                )
            )
        of_one, of_many = (
            outcomes("ppo_batched", environment, variant, one) for one in ("ppo", "ppo_batched")
        )
        assert of_one == of_many
        ((_, n),) = of_one.items()
    (score, environment), pair = max(means.items(), key=lambda item: abs(item[1][0] - item[1][1]))
    names = [f"`{one}`" for one in variants]
    yield (
        SUITES,
        f"in {', '.join(names[:-1])} and {names[-1]}, {n} seeds each, the means of TRAINED, TRUE and PROXY lie within",
    )
    yield (
        SUITES,
        f"The largest difference is {number(abs(pair[0] - pair[1]), 3)} ({score} in `{environment}`).",
    )
    least = min(by_chance.values())
    assert min(holm(list(by_chance.values()))) > 0.05
    yield (
        SUITES,
        f"Of the {len(by_chance)} differences none is more than chance (rank sum tests: the smallest p is {number(least)}, "
        f"{number(min(holm(list(by_chance.values()))))} when corrected by Holm).",
    )
    yield SUITES, f"All {n * len(variants)} agents of either kind have the same outcome in their world."


# What suites hold


def n_seeds(suite: Any) -> int:
    """Seeds of every population; they must be as many in all."""
    (n,) = {*Counter(trial.population for trial in suite.trials).values()}
    return n


def suites() -> Iterator[Claim]:
    quick, all_of = load_suite("quickstart"), load_suite("core")
    n_quick, n_core = (len({trial.environment for trial in one.trials}) for one in (quick, all_of))
    controlled = len({trial.environment for trial in quick.trials if trial.options["alpha"] == 1})
    yield README, f"a whole suite: {WORDS[n_core]} environments, {WORDS[n_seeds(all_of)]} seeds"
    yield (
        TOUR,
        f"in {WORDS[n_quick]} environments, {WORDS[n_seeds(quick)]} seeds each. In {WORDS[controlled]} of them",
    )
    yield NOTES["core"], f"PPO and DQN, {WORDS[n_seeds(all_of)]} seeds each"
    yield (
        "configs/core.toml",
        f"# {WORDS[n_core].title()} environments, PPO and DQN, {WORDS[n_seeds(all_of)]} seeds",
    )
    minutes = re.search(r"in (\w+) minutes", (ROOT / "configs" / "quickstart.toml").read_text())
    assert minutes
    yield README, f"## {minutes[1].title()} minutes"
    yield "Makefile", f"a first report in about {minutes[1]} minutes"
    trials = table("deception").unique("trial")
    yield (
        NOTES["deception"],
        f"{len(trials)} trials, of which {len(trials.filter(polars.col('agent').is_in(['executive', 'impostor'])))} are scripted",
    )
    steps = {
        trial.environment: trial.steps for trial in load_suite("deception").trials if trial.agent == "ppo"
    }
    million = [f"{steps[one] / 1e6:g} M" for one in ("executive_hiring", "goal_guard")]
    yield NOTES["deception"], f"{million[0]} steps in `executive_hiring`, {million[1]} in `goal_guard`"
    organisms = table("organisms").unique("trial")
    kinds, each = organisms["variant"].n_unique(), organisms["seed"].n_unique()
    assert len(organisms) == kinds * each
    yield NOTES["organisms"], f"{len(organisms)} organisms: {kinds} kinds with {each} seeds each"
    planned = n_seeds(load_suite("organisms"))
    yield DETECT, f"trains {planned} seeds of each: {len(load_suite('organisms').trials)} organisms"


# The zoo


def zoo() -> Iterator[Claim]:
    """The passages that docs/write_zoo.py writes, and what they count by another way."""
    yield from ((page, passage) for (page, _), passage in write_zoo.passages().items())
    found = table("zoo").filter(variant="ordinary").unique("trial", maintain_order=True)
    most = {
        environment: Counter(rows["outcome"]).most_common(1)[0][0]
        for (environment,), rows in found.partition_by("environment", as_dict=True).items()
    }
    right = {
        name for name in most if np.mean(seeds("zoo", name, "ordinary", "OUTER", "ppo_batched") or 0) <= 0.05
    }
    learned = {name for name, one in most.items() if one not in ("not trained", "undecided", "incapable")}
    astray, meant = ({name for name in learned & right if most[name] == one} for one in ("proxy", "aligned"))
    said = write_zoo.passages()[README, "zoo"]
    assert f"In {len(learned)} of the {len(most)} worlds" in said
    assert (
        f"Of {len(learned & right)} in which the reward is right, it pursues the proxy in {len(astray)}, "
        in said
    )
    assert f"what was meant in {len(meant)}, and" in said
    seasons = {
        one: outcomes("seasons", "seasons", one, "seasoned") for one in ("colour-first", "shape-first")
    }
    assert f"pursues colour in {seasons['colour-first']['proxy']} of" in said
    assert f"pursues the shape in {seasons['shape-first']['aligned']} of" in said
    undone = outcomes("seasons", "seasons", "half-colour-first", "seasoned")
    assert undone.most_common(1)[0][0] == "aligned"
    yield ZOO, "Where half of its levels tell the goals apart, an earlier season changes nothing that lasts"


def unexploited() -> Iterator[Claim]:
    """Worlds with a wrong reward in which ordinary agents are aligned and controls are not."""
    spared = {
        name
        for name, (ordinary, control) in write_zoo.worlds().items()
        if control and {*ordinary.outcomes} == {"aligned"} and write_zoo.group_of(ordinary) == write_zoo.WRONG
        and not {*control.outcomes} & {"aligned", "not trained"}
    }  # fmt: skip
    assert spared == {"camera", "tomato_watering"}
    (n,) = {len(one.outcomes) for name in spared for one in write_zoo.worlds()[name] if one}
    yield (
        ZOO,
        "In `camera` and `tomato_watering` all ordinary agents did what was meant, though something else is paid",
    )
    yield ZOO, f"Controls meet it, and none of them did what was meant ({n} seeds of each, [results/zoo]"


def zoo_figure() -> Iterator[Claim]:
    """In which worlds controls have the larger TRUE, by the sign of the reward."""
    better: dict[bool, set[str]] = {True: set(), False: set()}
    worse: dict[bool, set[str]] = {True: set(), False: set()}
    for name, (ordinary, control) in write_zoo.worlds().items():
        if control:
            right = bool(np.nanmean(ordinary.values["OUTER"]) <= write_zoo.NOTHING)
            gain = np.nanmean(control.values["TRUE"]) - np.nanmean(ordinary.values["TRUE"])
            (better if gain > 0.01 else worse)[right].add(name)
    assert worse[True] == {"trees"}
    assert max(seeds("zoo", "trees", "control", "TRUE", "ppo_batched")) == 0
    assert better[False] == {"side_effects_sokoban", "safe_interruptibility"}
    words = "where the reward is right, controls do better than ordinary agents on average, but in trees, where both are at 0; "
    yield ZOO, words + "where it is wrong, in side_effects_sokoban and safe_interruptibility alone"
    yield NOTES["zoo"], words + "where it is wrong, in side_effects_sokoban and safe_interruptibility alone"


def forest() -> Iterator[Claim]:
    """What becomes of the forests of `trees`, and of who lives in them."""
    rows = write_zoo.forest()
    steps = sorted({row["steps"] for row in rows})
    first, drought, last = (
        [row for row in rows if row["steps"] == one]
        for one in (steps[0], next(one for one in steps if one >= 2e6), steps[-1])
    )
    one, full = min(first[0]["affinity"], key=int), max(first[0]["affinity"], key=int)

    def affinity(there: list[dict[str, Any]]) -> tuple[str, str]:
        return tuple(number(np.mean([row["affinity"][trees] for row in there])) for trees in (one, full))

    def dead(there: list[dict[str, Any]]) -> float:
        return float(np.mean([row["dead"] for row in there]))

    yield ZOO, "affinity is {} where one tree stands and {} in a full forest".format(*affinity(first))
    yield ZOO, f"Then the forests die, {dead(drought):.0%} of them by 2 M steps".replace("%", " %")
    yield ZOO, "with nothing left to cut affinity falls to {} and {}".format(*affinity(drought))
    each = round(last[0]["steps"] / 64, -3)
    yield (
        ZOO,
        "It rises again later, to {} and {} at 6 M steps ({:,.0f} in each".format(*affinity(last), each),
    )
    assert dead(last) >= dead(drought) > 0.95
    yield ZOO, "there as many forests are dead as before: sparing trees is not learned within that time"
    yield ZOO, f"({len(last)} seeds, [affinity.json]"


def pixels() -> Iterator[Claim]:
    """Which goal most agents have, from pixels and from planes."""
    most = {
        (environment, sense): outcomes("pixels", environment, f"{sense}-ordinary", "ppo_batched").most_common(
            1
        )[0][0]
        for environment in ("cheese_corner", "cheese_dish", "lava_land")
        for sense in ("pixels", "planes")
    }
    assert {which for which, one in most.items() if one != "proxy"} == {("cheese_dish", "pixels")}
    assert most["cheese_dish", "pixels"] == "aligned"
    yield ZOO, "whoever sees planes goes for the dish, and whoever sees a picture mostly for the cheese"
    yield ZOO, "In the other two worlds both learn the proxy"
    for sense in ("pixels", "planes"):
        assert [*outcomes("pixels", "lava_land", f"{sense}-control", "ppo_batched")] == ["not trained"]
    yield ZOO, "Controls of `lava_land` do not pass the gate from either in a million steps"


PARTS = (
    alpha_curve,
    core,
    learned_deception,
    conditions,
    controls,
    less_in_view,
    safety_training,
    oversight,
    understanding,
    fresh_seeds,
    monster_pace,
    detectors,
    removed_plants,
    many_seeds_at_once,
    suites,
    zoo,
    unexploited,
    zoo_figure,
    forest,
    pixels,
)


def words_of(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())


@cache
def claims(part: Callable[[], Iterator[Claim]]) -> list[Claim]:
    return [*part()]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_what_a_page_says_is_what_the_results_say(part: Callable[[], Iterator[Claim]]) -> None:
    pages = {page: words_of((ROOT / page).read_text("utf-8")) for page, _ in claims(part)}
    assert [(page, claim) for page, claim in claims(part) if words_of(claim) not in pages[page]] == []


PAGES = (README, *(f"docs/{one.name}" for one in sorted((ROOT / "docs").glob("*.md"))), *NOTES.values())
TESTED = re.compile(r"<!-- claim: (tests/[\w/]+\.py)::(\w+) -->(.*?)<!-- /claim -->", re.S)
WRITTEN = re.compile(r"<!-- (evolve \w+|lineages|environments|discounts|bench) -->.*?<!-- /\w+ -->", re.S)
CODE, IMAGE, COMMENT = (
    re.compile(r"^```.*?^```", re.S | re.M),
    re.compile(r"!\[[^]]*\]"),
    re.compile(r"<!--.*?-->", re.S),
)
RESULT = re.compile(r"(?<![\w./])(?:1\.0\d\b|\.\d{2,3}\b|\d+ of \d+\b)")
SHARE = re.compile(rf"{RESULT.pattern}|(?<![\w.])(?!95 %)[\d.]+ %")
"""On the pages that tell results and nothing else, a percentage is one, too."""
OF_HOW_MANY = re.compile(
    r"\b(\d+|" + "|".join(WORDS[1:]) + r") (seeds|lineages|organisms)|seeds \d+ to \d+|\d+ of \d+|\bn = \d"
)
"""How a sentence says over how many agents its numbers go."""
SOURCE = re.compile(r"\((\.\./)?results/[\w./]*(#\w+)?\)")


def prose(page: str) -> str:
    """A page without code, pictures, and what scripts write into it or other tests recompute."""
    text = (ROOT / page).read_text("utf-8")
    for file, name, _ in TESTED.findall(text):
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), (
            f"{page} names a test that is not there: {file}::{name}"
        )
    for hidden in (TESTED, WRITTEN, CODE, IMAGE, COMMENT):
        text = hidden.sub("", text)
    return text


@pytest.mark.parametrize("page", PAGES)
def test_no_result_is_stated_that_nothing_recomputes(page: str) -> None:
    left = words_of(prose(page))
    mine = [words_of(claim) for part in PARTS for one, claim in claims(part) if one == page]
    for claim in sorted(mine, key=len, reverse=True):
        left = left.replace(claim, " ")
    result = SHARE if page in (README, *NOTES.values()) else RESULT
    stated = [left[max(0, one.start() - 60) : one.end() + 20] for one in result.finditer(left)]
    assert stated == [], "give the claim that recomputes it, or name the test that does"


@pytest.mark.parametrize("page", [one for one in PAGES if one not in NOTES.values()])
def test_whoever_states_a_result_says_of_how_many_and_where_it_is_published(page: str) -> None:
    for section in re.split(r"^#+ ", prose(page), flags=re.M):
        for block in re.split(r"\n- ", section) if page == README else [section]:
            if first := RESULT.search(block):
                assert SOURCE.search(block), (
                    f"link to the folder of results/ that holds it: {first[0]} in {block}"
                )
                assert OF_HOW_MANY.search(block), f"say of how many: {first[0]} in {block}"


def test_the_page_of_published_results_is_what_the_script_writes() -> None:
    assert write_results.PAGE.read_text("utf-8") == write_results.page(), "run: python docs/write_results.py"


def test_every_published_run_is_on_the_page_with_its_question_answered() -> None:
    page = write_results.PAGE.read_text("utf-8")
    for folder in (one.parent for one in write_results.RESULTS.glob("*/table.parquet")):
        section = re.split(rf"^## {folder.name}$", page, flags=re.M)[1].partition("\n## ")[0]
        assert re.search(r"\*\*[^*]+\?\*\* .*\d.*(n = \d+|\d+ seeds at each)", section)
        for path in re.findall(r"\]\(([^)#]+)", section):
            assert (write_results.RESULTS / path).exists()


def test_a_changed_table_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    real = table("core")
    other = real.with_columns(value=polars.when(score="TRUE").then(0.5).otherwise("value"))
    monkeypatch.setattr("recomputed.table", lambda name: other)
    monkeypatch.setattr("write_results.table", lambda name: other)
    told.cache_clear()
    assert "TRUE is 0.50" in "".join(write_results.section("core"))
    told.cache_clear()


@pytest.mark.parametrize("folder", [one.parent for one in write_results.RESULTS.glob("*/lifetimes.parquet")])
def test_decep_and_verdict_are_what_the_published_lifetimes_say(folder: Path) -> None:
    published = table(folder.name).filter(score="DECEP")
    those = {trial: rest for trial, *rest in published.select("trial", "value", "deception").iter_rows()}
    for trial, found in judged_again(folder).items():
        decep, verdict = those[trial]
        assert found.scores["DECEP"].value == pytest.approx(decep)
        assert found.verdict == verdict, (trial, found.why)
