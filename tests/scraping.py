"""Metrics, as Prometheus gets them from an instance."""

from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from deploy.local.instance_process import InstanceProcess


@dataclass(frozen=True)
class Scrape:
    """What an instance served at /metrics at some moment.

    Attributes:
        text: All of it.
        samples: What stands there.

    """

    text: str
    samples: tuple[Sample, ...]

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of all samples of a name that have these labels."""
        found = (each for each in self.samples if each.name == f"countersign_{name}")
        return sum(each.value for each in found if labels.items() <= each.labels.items())


async def scrape(instance: InstanceProcess) -> Scrape:
    """Ask an instance for its metrics."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as session,
        session.get(f"http://127.0.0.1:{instance.metrics_port}/metrics") as answer,
    ):
        text = await answer.text()
    families = text_string_to_metric_families(text)
    return Scrape(text, tuple(sample for family in families for sample in family.samples))
