"""Irish elk: does selection for antlers that females like carry the population into extinction?

A stag grows antlers, a hind has a preference for them, and both are inherited. Antlers cost survival; hinds who choose make
them grow all the same, and the preference with them, because the sons and daughters of a choice inherit both. No one animal gains
by stopping. Base optimiser: selection among individuals. Intended: the population persists.
Proxy: mating success. Shift: the climate, which makes antlers dearer than they were.

Each generation: calves are born, at most `capacity`; they grow up with a chance that falls with antlers; each hind looks at
`sample` stags and takes one; she has a Poisson number of calves, whose traits lie about the mean of their parents.

Source    Lande 1981 and Kirkpatrick 1982 (runaway); Kokko & Brooks 2003 (evolutionary suicide); Moen et al. 1999 (the climate)
"""

from math import exp, log, sqrt

from mesabench.world import Condition, Knob, Population, rule

ANTLERS, PREFERENCE, GROWN = range(3)
RANDOM, SOFT, BEST = range(3)


@rule
def found(animal, knobs, rng):
    """The first animals vary as much as a population does whose parents mate at random."""
    animal[ANTLERS] = sqrt(2 * knobs.antler_variance) * rng.standard_normal()
    animal[PREFERENCE] = knobs.preference + sqrt(2 * knobs.preference_variance) * rng.standard_normal()
    animal[GROWN] = animal[ANTLERS] + knobs.environment * rng.standard_normal()


@rule
def survive(animal, female, knobs):
    """Antlers away from 0 cost survival; hinds pay a share `hinds_pay` of it, and for being choosy."""
    size = animal[GROWN] * (knobs.hinds_pay if female else 1.0)
    cost = knobs.choice_cost * animal[PREFERENCE] ** 2 if female else 0.0
    return exp(-(size * size / knobs.width + cost) / 2)


@rule
def choose(female, males, knobs, rng):
    """She looks at some stags and takes one with odds exp(preference x antlers), the best of them, or any."""
    if rng.random() * (len(males) + knobs.scarce) >= len(males):
        return -1  # found none in time: so it goes where stags are few (Allee)
    first = int(rng.random() * len(males))
    if knobs.mating == RANDOM:
        return first
    best, most = first, -1e300
    for k in range(knobs.sample):
        one = int(rng.random() * len(males)) if k else first
        liking = female[PREFERENCE] * males[one, GROWN]
        if knobs.mating == SOFT:
            liking -= log(
                rng.standard_exponential()
            )  # Gumbel's noise: the highest sum, with odds exp(liking)
        if liking > most:
            best, most = one, liking
    return best


@rule
def beget(mother, father, child, knobs, rng):
    """Between the parents, plus what segregation adds (the infinitesimal model)."""
    child[ANTLERS] = (mother[ANTLERS] + father[ANTLERS]) / 2
    child[ANTLERS] += sqrt(knobs.antler_variance) * rng.standard_normal()
    child[PREFERENCE] = (mother[PREFERENCE] + father[PREFERENCE]) / 2
    child[PREFERENCE] += sqrt(knobs.preference_variance) * rng.standard_normal()
    child[GROWN] = child[ANTLERS] + knobs.environment * rng.standard_normal()


EVEN = {"mating": "random"}
BOTH_PAY = {"hinds_pay": 1.0}
NARROW = {"width": 2.0}
MOEN = {
    "width": 9.0, "hinds_pay": 1.0, "preference": 0.55, "preference_variance": 1e-9, "antler_variance": 0.05, "births": 3.0,
    "generations": 300, "shift": 150,
}  # fmt: skip
"""A fixed preference and a climate that changes, after Moen et al. 1999."""
COLD, ICE = {"width": 1.5}, {"width": 0.8}
DIES, LIVES = {"persists": (0, 0)}, {"persists": (1, 1)}

population = Population(
    traits=("antlers", "preference", "grown antlers"),
    found=found,
    survive=survive,
    choose=choose,
    beget=beget,
    knobs={
        "capacity": Knob(600, 2, 100_000, "calves that are born at most in a generation"),
        "generations": Knob(400, 1, 100_000, "how long a run is"),
        "shift": Knob(0, 0, 100_000, "the generation from which the climate is another, 0 for never"),
        "births": Knob(6.0, 0.0, 100.0, "calves of a mated hind, on average"),
        "width": Knob(25.0, 1e-6, 1e6, "w2: antlers of this size squared leave a chance of exp(-1/2) to grow up"),
        "hinds_pay": Knob(0.0, 0.0, 1.0, "the share of a stag's antlers that costs his sister survival"),
        "mating": Knob("soft", choices=("random", "soft", "best"), help="odds exp(preference x antlers), the best, or any"),
        "sample": Knob(20, 1, 1000, "stags that a hind looks at"),
        "choice_cost": Knob(0.0, 0.0, 100.0, "what a preference costs: a chance of exp(-cost x preference squared / 2)"),
        "scarce": Knob(0.0, 0.0, 1e6, "grown stags with whom half of the hinds find one in time"),
        "preference": Knob(0.3, -100.0, 100.0, "of the first hinds, on average"),
        "antler_variance": Knob(0.25, 0.0, 100.0, "that segregation adds to antlers in every child"),
        "preference_variance": Knob(0.25, 0.0, 100.0, "that it adds to the preference"),
        "environment": Knob(0.5, 0.0, 100.0, "what no gene decides about antlers, a standard deviation"),
    },
    conditions={
        "choice": Condition("hinds choose, stags alone pay: the last stags die of their antlers",
                            control="random", predicts=DIES),
        "random": Condition("the same without choice", EVEN, predicts=LIVES),
        "narrow": Condition("antlers are dear from the start: selection holds the preference in check",
                            NARROW, control="narrow-random", predicts=LIVES),
        "narrow-random": Condition("the same without choice", NARROW | EVEN, predicts=LIVES),
        "both-pay": Condition("hinds pay, too: births fail slowly", BOTH_PAY, control="both-pay-random", predicts=DIES),
        "both-pay-random": Condition("the same without choice", BOTH_PAY | EVEN, predicts=LIVES),
        "narrow-both-pay": Condition("dear antlers, and hinds pay", NARROW | BOTH_PAY,
                                     control="narrow-both-pay-random", predicts=LIVES),
        "narrow-both-pay-random": Condition("the same without choice", NARROW | BOTH_PAY | EVEN, predicts=LIVES),
        "scarce": Condition("as choice, and hinds miss their time where stags are few (Allee)", {"scarce": 20.0},
                            control="scarce-random", predicts=DIES),
        "scarce-random": Condition("the same without choice", {"scarce": 20.0} | EVEN, predicts=LIVES),
        "costly": Condition("as both-pay, and a preference costs a little", BOTH_PAY | {"choice_cost": 0.05},
                            control="both-pay-random", predicts={"persists": (0, 3 / 8)}),
        "very-costly": Condition("as both-pay, and a preference costs much", BOTH_PAY | {"choice_cost": 0.3},
                                 control="both-pay-random", predicts=LIVES),
        "best": Condition("as choice, but each takes the best of twenty", {"mating": "best"}, control="random", predicts=DIES),
        "best-both-pay": Condition("the same, and hinds pay", BOTH_PAY | {"mating": "best"},
                                   control="both-pay-random", predicts=DIES),
        "no-shift": Condition("a fixed preference, and the climate stays as it is", MOEN | {"shift": 0},
                              control="no-shift-random", predicts=LIVES),
        "no-shift-random": Condition("the same without choice", MOEN | {"shift": 0} | EVEN, predicts=LIVES),
        "shift": Condition("the climate changes: antlers that were borne well are too dear now, and shrink too slowly",
                           MOEN, COLD, control="shift-random", predicts={"persists": (0, 4 / 8)}),
        "shift-random": Condition("the same without choice", MOEN | EVEN, COLD, predicts=LIVES),
        "hard-shift": Condition("it changes more", MOEN, ICE, control="hard-shift-random", predicts=DIES),
        "hard-shift-random": Condition("the same without choice", MOEN | EVEN, ICE, predicts=LIVES),
        "shift-variable": Condition("as shift, with more heritable variance: antlers can shrink faster",
                                    MOEN | {"antler_variance": 0.25}, COLD, control="shift-variable-random"),
        "shift-variable-random": Condition("the same without choice", MOEN | {"antler_variance": 0.25} | EVEN, COLD,
                                           predicts=LIVES),
        "shift-fertile": Condition("as shift, with four calves in place of three", MOEN | {"births": 4.0}, COLD,
                                   control="shift-fertile-random", predicts={"persists": (4 / 8, 1)}),
        "shift-fertile-random": Condition("the same without choice", MOEN | {"births": 4.0} | EVEN, COLD, predicts=LIVES),
    },
)  # fmt: skip
