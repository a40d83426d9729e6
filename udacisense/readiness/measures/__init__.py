"""What a readiness rule can measure: one record for each measure, all of them in `registry.MEASURES`."""
