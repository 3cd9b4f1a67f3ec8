"""What survives: estate folders, contexts, journals and artefacts on disk."""
