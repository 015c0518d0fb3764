"""Whatever has no door of its own: requests that go to a provider as they are, under the operator's credential."""
