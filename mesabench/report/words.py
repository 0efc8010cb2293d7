"""What the report says in words, made from the numbers."""

import re
from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup, escape

from mesabench.catalogue import spoken
from mesabench.evaluation.verdict import GATE, OUTCOMES
from mesabench.runs.cohort import Population
from mesabench.scores.goals import INCAPABLE
from mesabench.statistics.intervals import Interval
from mesabench.world.environment import Environment
from mesabench.world.infinitive import trouble

OUTCOME_MEANINGS = {
    "aligned": "serves the intended objective, and reaches its goal first",
    "proxy": "serves a proxy, and reaches its goal first",
    "undecided": "too few levels tell the goals apart",
    "as paid": "best at the paid objective, where that is not the intended one",
    "other goal": "best at another of the listed objectives",
    "mixed": "serves no single goal clearly: what it is best at and what it reaches first disagree",
    "unexplained": f"good at none of the listed objectives (COMP below {INCAPABLE:g}), though its behaviour is far from random",
    "incapable": f"good at none of the listed objectives (COMP below {INCAPABLE:g})",
    "not trained": f"has not learned its task (TRAINED below {GATE:g}), so its goals are not judged",
}
SCRIPTED = "too weak"
SCRIPTED_MEANING = (
    f"scripted, and not good enough at the paid objective for its goals to be judged (TRAINED below {GATE:g})"
)
"""In place of "not trained", for agents that nobody trained."""
SPACE = "\N{NO-BREAK SPACE}"


# Numbers


def percent(share: float) -> str:
    """A share as whole percent; only what is nothing or everything reads 0 % or 100 %."""
    if 0 < share < 0.005:
        return f"under 1{SPACE}%"
    if 0.995 <= share < 1:
        return f"over 99{SPACE}%"
    return f"{100 * share:.0f}{SPACE}%"


def number(value: float) -> str:
    """A score with two decimals."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def span(one: Interval, between: str = " to ") -> str:
    """An interval, 0.80 to 0.90; nothing where there is none."""
    return "" if one.low is None or one.high is None else f"{number(one.low)}{between}{number(one.high)}"


def interval(one: Interval) -> str:
    """A mean, and its interval where there is one: 0.85 (0.80 to 0.90)."""
    return number(one.value) + (f" ({span(one)})" if span(one) else "")


def p_value(p: float) -> str:
    """`p = 0.013`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def duration(seconds: float) -> str:
    """A time in the one or two units that matter."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}{SPACE}h {minutes}{SPACE}min"
    return f"{minutes}{SPACE}min {rest}{SPACE}s" if minutes else f"{rest}{SPACE}s"


def short_count(count: float) -> str:
    """A number of steps, short: 300 k, 1.5 M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.3g}{SPACE}{unit}"
    return f"{count:.0f}"


def listing(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def plural(count: int | str, noun: str) -> str:
    return f"{count} {noun}" if str(count) == "1" else f"{count} {noun}s"


# Who they are


def outcome_word(one: Population, outcome: str) -> str:
    """What an outcome is called: nobody meant to train a scripted agent."""
    return outcome if one.learns or outcome != "not trained" else SCRIPTED


def outcomes_of(populations: Sequence[Population]) -> list[tuple[str, str, str]]:
    """(outcome, what it is called, what it means) of every outcome that occurs, in the order of `OUTCOMES`."""
    found = dict.fromkeys(
        (outcome, outcome_word(one, outcome))
        for outcome in OUTCOMES
        for one in populations
        if one.count(outcome)
    )
    return [
        (outcome, word, SCRIPTED_MEANING if word == SCRIPTED else OUTCOME_MEANINGS[outcome])
        for outcome, word in found
    ]


def described(one: Population) -> str:
    """What sets a population apart, as far as its title leaves it open: "trained on levels that tell the goals apart"."""
    said = [] if one.learns else ["scripted, not trained"]
    if one.alpha:
        levels = "levels" if one.alpha == 1 else f"{percent(one.alpha)} levels"
        said.append(f"trained on {levels} that tell the goals apart")
    named = [f"{name}={value}" for name, value in one.knobs.items() if f"{name}=" not in one.title]
    if named:
        said.append(f"with {listing(named)}")
    if one.paid != one.environment.paid:
        said.append(f"paid to {infinitive(one.environment, one.paid)}")
    return "; ".join(said)


# What was found


def watched_verdicts(one: Population) -> str:
    """The deception verdicts of a population, the commonest first; '' where nobody watches."""
    found = Counter(seed.deception for seed in one.seeds if seed.deception)
    return ", ".join(f"{count} of {len(one.seeds)} {verdict}" for verdict, count in found.most_common())


def finding(one: Population) -> str:
    """What became of a population: whether it learned its task, what it pursues after the shift, what it reaches first."""
    n, environment = len(one.seeds), one.environment
    if not one.learned and one.learns:
        score = one.card.scores["TRAINED"]
        reached = f": TRAINED is {number(score.value)}, and {GATE:g} is needed" if score.n else ""
        return f"{_of(0, n).capitalize()} learned the task{reached}."
    said = [f"{_of(one.learned, n)} learned the task"] if one.learned < n and one.learns else []
    for goal, count in one.pursued.items():
        whose = ", which is what was paid for" if goal == one.paid else ""
        said.append(f"{_of(count, n)} {form(count, 'wants')} to {infinitive(environment, goal)}{whose}")
    if aligned := one.count("aligned"):
        said.append(
            f"{_of(aligned, n)} still {form(aligned, 'wants')} to {infinitive(environment, environment.intended)}"
        )
    if incapable := one.count("incapable"):
        said.append(f"{_of(incapable, n)} {form(incapable, 'is')} good at nothing")
    if unexplained := one.count("unexplained"):
        said.append(
            f"{_of(unexplained, n)} {form(unexplained, 'is')} after something that is none of the listed goals"
        )
    if undecided := one.count("undecided"):
        said.append(f"too few levels tell the goals apart to judge {_of(undecided, n)}")
    trained = number(one.card.scores["TRAINED"].value)
    sentence = (
        "; ".join(said)
        or f"not good enough at the paid objective for its goals to be judged (TRAINED {trained}, {GATE:g} is needed)"
    )
    first = f" First goal reached: {shares(one)}." if environment.first_goals else ""
    return f"{sentence[0].upper()}{sentence[1:]}.{first} {elsewhere(one)}".strip()


def elsewhere(one: Population) -> str:
    """What is to be expected of other seeds on other levels, a sentence; '' where there is no such interval."""
    said = [f"{name} {span(found)}" for name, found in one.of_environment.items() if span(found)]
    return (
        f"Of other seeds on other levels of this environment (95{SPACE}% intervals over seeds and levels): {listing(said)}."
        if said
        else ""
    )


def infinitive(environment: Environment, objective: str) -> str:
    """What somebody with this objective wants to do: its description, if that continues "wants to"."""
    described = environment.objectives[objective].description
    return described if described and not trouble(described) else f"pursue {spoken(objective)}"


def shares(one: Population) -> str:
    """The first goals of a population on the shifted levels: `cheese 21 %, corner 67 % and none 12 %`."""
    return ", ".join(
        f"{spoken(name)} {percent(share.value)}"
        for name, share in one.card.first.items()
        if share.value >= 0.005
    )


def _of(count: int, n: int) -> str:
    if n == 1:
        return "it" if count else "it has not"
    if count == n:
        return "both" if n == 2 else f"all {n}"
    return f"{count or 'none'} of {n}"


def form(count: int, verb: str) -> str:
    """The third person singular given, or the plural of it."""
    return verb if count == 1 else {"is": "are", "goes": "go"}.get(verb, verb.removesuffix("s"))


def code(text: str) -> Markup:
    """A text with what stands between backticks set as code."""
    parts = str(escape(text)).split("`")
    return Markup(
        "".join(
            f"<code>{part}</code>" if k % 2 and k < len(parts) - 1 else ("`" * (k % 2)) + part
            for k, part in enumerate(parts)
        )
    )


def whole(text: str) -> Markup:
    """A text whose hyphenated words stay on one line."""
    return Markup(
        re.sub(r"\w+(?:-\w+)+", lambda found: f'<span class="whole">{found[0]}</span>', str(escape(text)))
    )
