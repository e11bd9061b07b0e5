"""The typefaces that ship with the engine (SIL Open Font License, see OFL.txt)."""
