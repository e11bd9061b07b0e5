"""Edits of the studio: one module each, with one public function `apply`; the registry finds them by name."""
