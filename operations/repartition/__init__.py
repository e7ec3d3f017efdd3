"""Adds partitions to the topics of a deployment with data (docs/adr/0024-more-partitions.md).

The changelogs grow first. Then their rows move to their keys' new partitions and are verified. The other topics grow
last. So an unfinished repartition leaves topics with different numbers of partitions: services refuse to serve, and the
next run of the same command finishes it.
"""
