"""The implementation of the operators' commands: topics, dead letters, audit, rehearsal, repartition."""
