"""Measures a revision beside the working tree, in turns, so that what disturbs one disturbs the other."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

from lab.bench.benchmark import WARM_UP_AT_ONCE, Options, people_for, push_logins, quick_people
from lab.bench.deployment import Deployment, People
from lab.bench.machine import this_machine
from lab.bench.passes import Pass, PassRunner, ShowProgress, Times
from lab.bench.results import Comparison
from lab.bench.statistics import ratios
from lab.bench.trees import Tree
from services.common.progress import Progress

LEAST_ROUNDS: Final = 2
SETTLE_SECONDS: Final = 5.0
"""After a stack goes on, it does what it has missed."""
TreeT = TypeVar("TreeT")


def compare(trees: tuple[Tree, Tree], options: Options, rounds: int, directory: Path, runner: PassRunner) -> Comparison:
    """Measure two trees in turns, without the password's hash. The stack whose turn it is not stands still.

    Args:
        trees: The working tree, and the other one.
        options: How long and at how many at a time.
        rounds: How many passes of each count, at each number at a time.
        directory: Where the stacks keep their data.
        runner: Has clients sign in.

    Raises:
        ClientError: If a client failed as a whole.
        DeploymentError: If a stack does not start or cannot be seeded.

    """
    people = quick_people()

    def play(deployment: Deployment, at_once: int, times: Times, what: str) -> Pass:
        title = f"Logins of the {deployment.tree.name}, {what}"
        return push_logins(runner, deployment, people, at_once, times, title)

    def turn(deployment: Deployment, at_once: int) -> Pass:
        deployment.resume()
        deployment.await_steady()
        try:
            return play(deployment, at_once, options.times, f"{at_once} at a time")
        finally:
            deployment.pause()

    with ExitStack() as stack:
        deployments = []
        for number, tree in enumerate(trees):
            deployment = stack.enter_context(Deployment(tree, directory / f"stack-{number}"))
            _start(deployment, options, people, runner.show)
            play(deployment, WARM_UP_AT_ONCE, Times(0, options.warm_up_seconds), "warm-up")
            deployment.pause()
            deployments.append(deployment)
        passes = take_turns(deployments, options.at, rounds, turn)
        idle = {each.tree.name: _idle_percent(each, options, runner.show) for each in deployments}
    new, old = (
        {at_once: [each.figures for each in found if each.at_once == at_once] for at_once in options.at}
        for found in passes
    )
    names = [tree.name for tree in trees]
    found = dict(zip(names, passes, strict=True))
    return Comparison(this_machine(), trees[1].name, found, idle, ratios(new, old))


def _idle_percent(deployment: Deployment, options: Options, show: ShowProgress) -> dict[str, float]:
    show(f"The {deployment.tree.name}, idle", Progress(0, 1))
    deployment.resume()
    deployment.await_steady()
    time.sleep(SETTLE_SECONDS)
    try:
        return deployment.idle_percent(options.idle_seconds)
    finally:
        deployment.pause()


def take_turns(
    trees: Sequence[TreeT], at: Sequence[int], rounds: int, turn: Callable[[TreeT, int], Pass]
) -> list[list[Pass]]:
    """Have each tree's turn come again and again, and return the passes of each.

    Args:
        trees: The trees.
        at: How many sign in at a time; all rounds of one number come before the next number.
        rounds: How many turns each tree has at each number.
        turn: Takes a tree and how many at a time, and returns its pass.

    """
    passes: list[list[Pass]] = [[] for _ in trees]
    for at_once in at:
        for _ in range(rounds):
            for tree, found in zip(trees, passes, strict=True):
                found.append(turn(tree, at_once))
    return passes


def _start(deployment: Deployment, options: Options, people: People, show: ShowProgress) -> None:
    name, count = deployment.tree.name, people_for(max(*options.at, WARM_UP_AT_ONCE))
    show(f"Kafka of the {name}", Progress(0, 1))
    deployment.start(services=False)
    title = f"Accounts of the {name}"
    deployment.seed(people, count, count, lambda made: show(title, Progress(made, count)))
    deployment.stop()
    show(f"Services of the {name}", Progress(0, 1))
    deployment.start()
    deployment.await_steady()
