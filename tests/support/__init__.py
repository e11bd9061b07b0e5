"""What tests share: real server processes, a thin client, a receiver in a thread, pictures."""
