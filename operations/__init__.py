"""What operators' commands use: topics, dead letters, audit, rehearsal, repartition."""
