"""What was used, summed and told."""
