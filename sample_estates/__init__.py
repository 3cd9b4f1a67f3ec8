"""Invented estates in ARM wire shape, each a folder with resources.jsonl, estate.json and context.yaml."""
