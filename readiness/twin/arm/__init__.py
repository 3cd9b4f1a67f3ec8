"""What each resource type does: one module a type, and one a family of rules that needs room of its own."""
