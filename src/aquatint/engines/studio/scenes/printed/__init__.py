"""Printed scenes: what animals and flowers share, in the manner of a lithograph: inks, light, stage, elements."""
