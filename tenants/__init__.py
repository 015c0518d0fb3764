"""Floor 1: who is asking. Tenants, users, memberships and virtual keys."""
