"""The handlers of each page."""
