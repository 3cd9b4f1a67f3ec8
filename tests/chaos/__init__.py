"""Long tests of what holds whatever happens: hundreds of kills, and every trouble at every step."""
