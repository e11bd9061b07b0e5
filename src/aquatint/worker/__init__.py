"""The three loops: runner (tasks), dispatcher (deliveries), sweeper (what time does)."""
