"""History replayed week by week with planted births, beside simpler trackers on the same vectors."""
