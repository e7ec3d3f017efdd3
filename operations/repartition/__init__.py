"""More partitions for the topics of a deployment that has data already (docs/adr/0024-more-partitions.md).

The changelogs grow first, their rows move to their keys' new homes and are read back, and only then the other topics
grow. So while anything is unfinished the topics have different numbers of partitions: services refuse to serve, and the
next run of the same command sees where to go on.
"""
