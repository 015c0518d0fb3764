"""Budgets and limits as operators wrote them, from their rows to what workers go by, and how they stand."""
