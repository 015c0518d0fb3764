"""Floor 6: what watches. Metrics, logs and the operator's dashboard."""
