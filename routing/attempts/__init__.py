"""How one call becomes one or more tries at targets."""
