"""Styles of the studio: one module each, with one public function `paint`; the registry finds them by name."""
