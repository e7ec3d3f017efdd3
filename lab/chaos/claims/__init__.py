"""What must hold after a run, each claim with what it was checked on and what contradicts it."""
