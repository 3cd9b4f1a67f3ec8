"""The only floor that knows the Azure SDK. `wire`, its siblings and `collection` alone do without it."""
