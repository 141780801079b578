"""The algorithms that need a library, each imported when it is asked for the first time."""

from __future__ import annotations

import math
import random
import warnings
from collections.abc import Mapping
from typing import Any

from lab.provider import Json, Refused

from ._space import Axis
from ._trials import Question, Trial

INSTALL = (
    "Install what sweeps need: `pip install 'lab-runner[sweep]'`. `random` and `grid` need nothing."
)
_CANDIDATES = 512
_LEAST_DEVIATION = 1e-9


def missing(error: ImportError) -> Refused:
    """What to tell when a library is not there."""
    return Refused(f"this algorithm needs {error.name}, which is not installed", INSTALL)


# --- tree-structured Parzen estimators ----------------------------------------------------------


def tpe(question: Question, *, multivariate: bool) -> Mapping[str, Json]:
    """Optuna's estimator over a study that is built anew from the trials so far."""
    try:
        import optuna
    except ImportError as error:
        raise missing(error) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            seed=question.rng.getrandbits(32),
            n_startup_trials=int(question.setting(10, "n_startup_trials")),
            n_ei_candidates=int(question.setting(24, "n_ei_candidates", "n_EI_candidates")),
            multivariate=multivariate,
            constant_liar=True,
        )
    direction = "maximize" if question.maximize else "minimize"
    study = optuna.create_study(sampler=sampler, direction=direction)
    known = {axis.name: _distribution(axis, optuna) for axis in question.axes}
    study.add_trials([_frozen(question, trial, known, optuna) for trial in question.past])
    asked = study.ask(known).params
    return {axis.name: _decoded(axis, asked[axis.name]) for axis in question.axes}


def _distribution(axis: Axis, optuna: Any) -> Any:
    """Countable values as their places in the list, the others as their places between 0 and 1."""
    kinds = optuna.distributions
    if axis.values and not axis.ordered:
        return kinds.CategoricalDistribution(list(range(len(axis.values))))
    if axis.values and axis.distribution == "uniform":
        return kinds.IntDistribution(0, len(axis.values) - 1)
    return kinds.FloatDistribution(0.0, 1.0)


def _decoded(axis: Axis, found: float) -> Json:
    if axis.values and axis.distribution == "uniform":
        return axis.values[int(found)]
    return axis.at(found)


def _encoded(axis: Axis, value: Json) -> float:
    place = axis.of(value)
    if axis.values and axis.distribution == "uniform":
        return int(place * len(axis.values))
    return place


def _frozen(question: Question, trial: Trial, known: Mapping[str, Any], optuna: Any) -> Any:
    states = optuna.trial.TrialState
    state = states.COMPLETE if trial.value is not None else states.FAIL
    return optuna.trial.create_trial(
        state=states.RUNNING if trial.running else state,
        value=trial.value,
        params={a.name: _encoded(a, trial.parameters[a.name]) for a in question.axes},
        distributions=dict(known),
    )


# --- low-discrepancy sequences --------------------------------------------------------------------


def sobol(question: Question) -> Mapping[str, Json]:
    """The point of a scrambled Sobol sequence that has the trial's number."""
    try:
        from scipy.stats import qmc
    except ImportError as error:
        raise missing(error) from None
    drawn = qmc.Sobol(len(question.axes), scramble=True, rng=question.seed)
    before = question.number - 1 + question.salt * 2**20
    if before:
        drawn.fast_forward(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that one point is no power of two
        return question.point([float(each) for each in drawn.random(1)[0]])


# --- covariance matrix adaptation -----------------------------------------------------------------


def cmaes(question: Question) -> Mapping[str, Json]:
    """A generation is told once it is whole, in order of number; parameters without an order are drawn."""
    try:
        import numpy as np
        from cmaes import CMA
    except ImportError as error:
        raise missing(error) from None
    axes = [axis for axis in question.axes if axis.ordered]
    restarts = question.settings.get("restart_strategy", "none") == "ipop"
    size = int(question.setting(4 + int(3 * math.log(len(axes))), "population_size"))
    sigma = question.setting(1 / 6, "sigma") or 1 / 6
    seeds = random.Random(f"{question.seed}/cmaes")

    def fresh(mean: Any) -> Any:
        return CMA(
            mean=mean,
            sigma=sigma,
            bounds=np.array([[0.0, 1.0]] * len(axes)),
            seed=seeds.getrandbits(32),
            population_size=size,
        )

    optimizer = fresh(np.full(len(axes), 0.5))
    told = [
        (np.array([a.of(trial.parameters[a.name]) for a in axes]), cost)
        for trial, cost in question.costs
    ]
    while len(told) >= size:
        optimizer.tell(told[:size])
        told = told[size:]
        if restarts and optimizer.should_stop():
            size *= 2
            optimizer = fresh(np.array([seeds.random() for _ in axes]))
    optimizer.reseed_rng(question.rng.getrandbits(32))
    place = dict(zip((axis.name for axis in axes), optimizer.ask(), strict=True))
    return question.point(
        [float(place[a.name]) if a.name in place else question.rng.random() for a in question.axes]
    )


# --- Bayesian optimisation ------------------------------------------------------------------------


def bayesian(question: Question) -> Mapping[str, Json]:
    """A Gaussian process over the unit cube, asked where it expects to improve most."""
    costs = question.costs
    draw = [question.rng.random() for _ in question.axes]
    if len(costs) < question.setting(10, "n_initial_points"):
        return question.point(draw)
    try:
        import numpy as np
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import Matern, WhiteKernel
    except ImportError as error:
        raise missing(error) from None
    rng = np.random.default_rng(question.rng.getrandbits(32))
    seen = np.array([_spread(question, question.place(trial)) for trial, _ in costs])
    values = np.array([cost for _, cost in costs])
    model = GaussianProcessRegressor(
        Matern(np.full(seen.shape[1], 0.5), (0.02, 20), nu=2.5) + WhiteKernel(1e-4, (1e-8, 1.0)),
        normalize_y=True,
        random_state=question.rng.getrandbits(31),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(seen, values)
    best = np.array(question.place(min(costs, key=lambda each: each[1])[0]))
    near = np.clip(best + rng.normal(0, 0.05, (_CANDIDATES, len(best))), 0, 1)
    candidates = np.vstack([rng.random((_CANDIDATES, len(best))), near])
    mean, deviation = model.predict(
        np.array([_spread(question, list(each)) for each in candidates]), return_std=True
    )
    wish = str(question.settings.get("acq_func", "EI"))
    gain = _gain(wish, float(values.min()), mean, np.maximum(deviation, _LEAST_DEVIATION))
    order = np.argsort(-gain, kind="stable")
    return question.point([float(each) for each in candidates[order[question.salt]]])


def _spread(question: Question, place: list[float]) -> list[float]:
    """A place with one coordinate for each value of a parameter without an order."""
    found: list[float] = []
    for axis, each in zip(question.axes, place, strict=True):
        if axis.ordered:
            found.append(each)
        else:
            chosen = min(int(each * len(axis.values)), len(axis.values) - 1)
            found += [float(index == chosen) for index in range(len(axis.values))]
    return found


def _gain(wish: str, least: float, mean: Any, deviation: Any) -> Any:
    """What is to become large: expected improvement, its probability, or the lower bound."""
    from scipy.stats import norm

    if wish == "LCB":
        return 1.96 * deviation - mean
    steps = (least - mean) / deviation
    if wish == "PI":
        return norm.cdf(steps)
    return (least - mean) * norm.cdf(steps) + deviation * norm.pdf(steps)
