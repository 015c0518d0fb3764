"""Floor 6: pages for people. The playground."""
