"""Injects each fault, and repairs it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from deploy.local.child_process import Daemon
from deploy.local.kafka.broker import Broker
from lab.chaos.cluster import Cluster
from lab.chaos.history import FaultResult
from lab.chaos.schedule import Fault, FaultKind
from services.common.clock import now

RECOVERY_SECONDS: Final = 180.0
"""After a fault, the cluster must have recovered in this time."""
LOOK_SECONDS: Final = 0.5
T = TypeVar("T")


async def inject(cluster: Cluster, fault: Fault) -> FaultResult:
    """Inject a fault, repair it when its time is over, and wait until the cluster has recovered."""
    began_at = now()
    target = await _FAULTS[fault.kind](cluster, fault)
    repaired_at = now()
    recovered_at, reason = await _recovered(cluster)
    return FaultResult(
        fault=fault.kind,
        target=target,
        began_at=began_at,
        repaired_at=repaired_at,
        recovered_at=recovered_at,
        reason=reason,
    )


async def _recovered(cluster: Cluster) -> tuple[datetime | None, str]:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        problem = await cluster.problem()
        if not problem:
            return now(), ""
        if time.monotonic() > deadline:
            return None, problem
        await asyncio.sleep(LOOK_SECONDS)


async def _kill_instance(cluster: Cluster, fault: Fault, service: str) -> str:
    instance = _choose(cluster.of(service), fault)
    with _unsupervised(cluster, instance):
        await asyncio.to_thread(instance.kill)
        await asyncio.sleep(fault.seconds)
        instance.start()
    return instance.name


async def _pause_instance(cluster: Cluster, fault: Fault) -> str:
    return await _pause(_choose(cluster.instances, fault), fault)


async def _pause_broker(cluster: Cluster, fault: Fault) -> str:
    return await _pause(_choose(cluster.brokers, fault), fault)


async def _pause(daemon: Daemon, fault: Fault) -> str:
    daemon.suspend()
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        daemon.resume()
    return daemon.name


async def _roll(cluster: Cluster, _fault: Fault) -> str:
    """Restart one instance after the other, as operators do for a new version."""
    for instance in cluster.instances:
        with _unsupervised(cluster, instance):
            await asyncio.to_thread(instance.stop)
            instance.start()
        await asyncio.to_thread(instance.await_ready, RECOVERY_SECONDS)
    return "all services"


async def _kill_brokers(cluster: Cluster, brokers: Sequence[Broker], fault: Fault) -> str:
    with _unsupervised(cluster, *brokers):
        for broker in brokers:
            await asyncio.to_thread(broker.kill)
        await asyncio.sleep(fault.seconds)
        for broker in brokers:
            broker.begin()
    return ", ".join(broker.name for broker in brokers)


async def _kill_broker(cluster: Cluster, fault: Fault) -> str:
    return await _kill_brokers(cluster, [_choose(cluster.brokers, fault)], fault)


async def _kill_controller(cluster: Cluster, fault: Fault) -> str:
    return await _kill_brokers(cluster, [cluster.brokers[cluster.controller() - 1]], fault)


async def _kill_two_brokers(cluster: Cluster, fault: Fault) -> str:
    spared = _choose(cluster.brokers, fault)
    return await _kill_brokers(cluster, [broker for broker in cluster.brokers if broker is not spared], fault)


async def _cut_broker(cluster: Cluster, fault: Fault) -> str:
    number = 1 + fault.choice % len(cluster.brokers)
    cluster.network.cut(number)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        cluster.network.mend(number)
    return cluster.brokers[number - 1].name


async def _fill_disk(cluster: Cluster, fault: Fault) -> str:
    instance = _choose(cluster.instances, fault)
    await asyncio.to_thread(cluster.disks.fill, instance.name)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        cluster.disks.free(instance.name)
    return instance.name


async def _step_clock(cluster: Cluster, fault: Fault) -> str:
    instance = _choose(cluster.instances, fault)
    cluster.clocks.set(instance.name, fault.step_seconds)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        cluster.clocks.set(instance.name, 0)
    return f"{instance.name} by {fault.step_seconds:+d} s"


_FAULTS: Final[dict[FaultKind, Callable[[Cluster, Fault], Awaitable[str]]]] = {
    FaultKind.KILL_LOGIN: partial(_kill_instance, service="login"),
    FaultKind.KILL_PAIRING: partial(_kill_instance, service="pairing"),
    FaultKind.KILL_PUSH: partial(_kill_instance, service="push"),
    FaultKind.PAUSE_INSTANCE: _pause_instance,
    FaultKind.ROLL: _roll,
    FaultKind.KILL_BROKER: _kill_broker,
    FaultKind.KILL_CONTROLLER: _kill_controller,
    FaultKind.KILL_TWO_BROKERS: _kill_two_brokers,
    FaultKind.PAUSE_BROKER: _pause_broker,
    FaultKind.CUT_BROKER: _cut_broker,
    FaultKind.FILL_DISK: _fill_disk,
    FaultKind.STEP_CLOCK: _step_clock,
}


@contextmanager
def _unsupervised(cluster: Cluster, *those: Daemon) -> Iterator[None]:
    """Have the supervisor leave brokers or instances alone."""
    names = {each.name for each in those}
    cluster.unsupervised |= names
    try:
        yield
    finally:
        cluster.unsupervised -= names


def _choose(among: Sequence[T], fault: Fault) -> T:
    return among[fault.choice % len(among)]
